from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, pipeline
from voice import speak

import ser_model.hub
from ser_model.calibrate import softmax
from ser_model.cnn import load_network
from ser_model.labels import EMOTIONS
from ser_model.recognize import WEIGHTS


def test_the_shipped_weights_open_with_the_auto_class() -> None:
    model = AutoModelForAudioClassification.from_pretrained(WEIGHTS)
    assert isinstance(model, ser_model.hub.EmotionCnnForAudioClassification)
    assert not model.training
    assert [model.config.id2label[index] for index in range(8)] == list(EMOTIONS)


def test_the_pipeline_gives_the_calibrated_probabilities(untrained_weights: Path) -> None:
    voice = speak()
    listen = pipeline("audio-classification", model=str(untrained_weights), top_k=None)
    got = {row["label"]: row["score"] for row in listen(voice)}
    logits = load_network(untrained_weights)(torch.from_numpy(voice)[None]).emotion[0].detach().numpy()
    assert list(got.values()) == sorted(got.values(), reverse=True)
    assert [got[emotion] for emotion in EMOTIONS] == pytest.approx(softmax(logits, 1.3).tolist(), abs=1e-5)


def test_batches_of_different_lengths_are_padded_and_masked(untrained_weights: Path) -> None:
    extract = AutoFeatureExtractor.from_pretrained(untrained_weights)
    model = AutoModelForAudioClassification.from_pretrained(untrained_weights)
    batch = extract([speak("ai"), speak("aeiou")], sampling_rate=16_000, return_tensors="pt")
    alone = extract(speak("ai"), sampling_rate=16_000, return_tensors="pt")
    assert torch.allclose(model(**batch).logits[0], model(**alone).logits[0], atol=1e-4)


def test_another_sampling_rate_is_refused(untrained_weights: Path) -> None:
    with pytest.raises(ValueError, match="load_audio"):
        AutoFeatureExtractor.from_pretrained(untrained_weights)(speak(), sampling_rate=44_100)


def test_saving_and_loading_keeps_the_scores(untrained_weights: Path, tmp_path: Path) -> None:
    model = AutoModelForAudioClassification.from_pretrained(untrained_weights)
    model.save_pretrained(tmp_path)
    voice = torch.from_numpy(speak())[None]
    loss = model(voice, labels=torch.tensor([3])).loss
    assert np.isfinite(loss.item())
    assert torch.allclose(load_network(tmp_path)(voice).emotion / 1.3, model(voice).logits, atol=1e-4)
