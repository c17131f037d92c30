from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, pipeline
from voice import speak

from ser_model.calibration import softmax
from ser_model.cnn import load_network
from ser_model.hub import EmotionCnnConfig, EmotionCnnForAudioClassification, make_feature_extractor
from ser_model.labels import EMOTIONS
from ser_model.recognize import WEIGHTS

FRESH = """
import json, sys
import numpy as np
from transformers import pipeline
classify = pipeline("audio-classification", model=sys.argv[1], trust_remote_code=True, top_k=None)
assert "ser_model" not in sys.modules
print(json.dumps({row["label"]: row["score"] for row in classify(np.load(sys.argv[2]))}))
"""


def test_the_pipeline_gives_the_calibrated_probabilities(untrained_weights: Path) -> None:
    voice = speak()
    classify = pipeline("audio-classification", model=str(untrained_weights), top_k=None)
    got = {row["label"]: row["score"] for row in classify(voice)}
    logits = load_network(untrained_weights)(torch.from_numpy(voice)[None]).emotion[0].detach().numpy()
    assert list(got.values()) == sorted(got.values(), reverse=True)
    assert [got[emotion] for emotion in EMOTIONS] == pytest.approx(softmax(logits, 1.3).tolist(), abs=1e-5)


def test_batches_of_different_lengths_are_padded_and_masked(untrained_weights: Path) -> None:
    extract = AutoFeatureExtractor.from_pretrained(untrained_weights)
    model = AutoModelForAudioClassification.from_pretrained(untrained_weights)
    batch = extract([speak("ai"), speak("aeiou")], sampling_rate=16_000, padding=True, return_tensors="pt")
    alone = extract(speak("ai"), sampling_rate=16_000, return_tensors="pt")
    assert torch.allclose(model(**batch).logits[0], model(**alone).logits[0], atol=1e-4)
    assert model(**batch, labels=torch.tensor([3, 3])).loss.isfinite()


def test_the_feature_extractor_takes_a_list_of_floats_and_the_usual_options() -> None:
    extract, voice = make_feature_extractor(), speak("ai")
    listed = extract(voice.tolist(), sampling_rate=16_000, return_tensors="np")["input_values"]
    assert np.array_equal(listed, voice[np.newaxis])
    options = {"padding": "max_length", "max_length": 8_000, "truncation": True}
    assert extract(voice, sampling_rate=16_000, return_tensors="np", **options)["input_values"].shape == (1, 8_000)
    with pytest.raises(ValueError, match="16000"):
        extract(voice, sampling_rate=44_100)


@pytest.mark.slow
def test_what_save_pretrained_writes_works_without_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the model hub: a fresh process in another folder, with remote code."""
    for cls, auto_class in (
        (EmotionCnnConfig, "AutoConfig"),
        (EmotionCnnForAudioClassification, "AutoModelForAudioClassification"),
    ):
        monkeypatch.setattr(cls, "_auto_class", None)
        cls.register_for_auto_class(auto_class)
    published = tmp_path / "published"
    model = AutoModelForAudioClassification.from_pretrained(WEIGHTS)
    assert isinstance(model, EmotionCnnForAudioClassification)
    model.save_pretrained(published)
    make_feature_extractor().save_pretrained(published)
    assert {path.name for path in published.glob("*.py")} == {
        "hub.py", "cnn.py", "frontend.py", "functionals.py", "labels.py"
    }  # fmt: skip
    voice = torch.from_numpy(speak())[None]
    assert torch.equal(load_network(published)(voice).emotion, load_network(WEIGHTS)(voice).emotion)
    np.save(tmp_path / "voice.npy", speak())
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(tmp_path / "cache"), "PYTHONPATH": ""}
    command = [sys.executable, "-c", FRESH, str(published), str(tmp_path / "voice.npy")]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    probabilities = model(voice).logits.detach().softmax(dim=1)[0]
    wanted = {str(emotion): float(value) for emotion, value in zip(EMOTIONS, probabilities, strict=True)}
    assert json.loads(run.stdout) == pytest.approx(wanted, abs=1e-5)
