from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from made_corpus import write_corpus
from tiny_encoder import write_encoder
from voice import RATE_HZ, speak

import train
from ser_model.training.clips import Clip
from ser_model.training.layers import HeadSettings, describe_layers, fit_head, score_layers
from ser_model.wav2vec2 import ComparisonMissing, Encoder, load_comparison, save_head


def whistle(emotion: int, number: int) -> Clip:
    """One second of a tone; each emotion has its own height, a third apart, the loudness and noise vary."""
    rng = np.random.default_rng(100 * emotion + number)
    hz = 250 * 1.4**emotion * rng.uniform(0.95, 1.05)
    tone = np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ) + 0.05 * rng.standard_normal(RATE_HZ)
    sound = (rng.uniform(0.05, 0.5) * tone).astype(np.float32)
    return Clip(f"{emotion}-{number}", sound, (0, RATE_HZ), emotion, number % 2, 0, number, is_song=False)


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def encoder(encoder_folder: Path) -> Encoder:
    return Encoder.load(str(encoder_folder))


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [whistle(emotion, number) for emotion in range(8) for number in range(15)]


def test_a_clip_becomes_one_vector_a_layer(encoder: Encoder) -> None:
    vectors = encoder.describe(torch.from_numpy(speak()))
    assert vectors.shape == (encoder.layers, 2 * encoder.width)
    assert torch.isfinite(vectors).all()
    assert torch.equal(vectors, encoder.describe(torch.from_numpy(speak())))  # nothing dropped, nothing masked


@pytest.mark.parametrize("kind", ["hubert", "wavlm"])
def test_other_encoders_serve_as_well(kind: str, tmp_path: Path) -> None:
    encoder = Encoder.load(str(write_encoder(tmp_path, kind=kind)))
    assert encoder.describe(torch.from_numpy(speak())).shape == (encoder.layers, 2 * encoder.width)


def test_loudness_does_not_matter_to_the_encoder(encoder: Encoder) -> None:
    voice = torch.from_numpy(speak())
    assert torch.allclose(encoder.describe(voice), encoder.describe(0.1 * voice), atol=1e-2)


def test_the_head_learns_what_can_be_heard(clips: list[Clip], encoder: Encoder, tmp_path: Path) -> None:
    layers = describe_layers(clips, encoder, tmp_path)
    known = [clip for clip in clips if clip.actor < 10]
    strangers = [clip for clip in clips if clip.actor >= 10]
    head = fit_head(known, layers, encoder, seed=0, settings=HeadSettings(epochs=150, batch=16))
    truth = np.array([clip.emotion for clip in strangers])
    assert (score_layers(head, strangers, layers).emotion.argmax(axis=1) == truth).mean() > 0.9


def test_a_cut_off_run_goes_on_and_never_reads_half_a_file(
    clips: list[Clip], encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    describe = encoder.describe

    def counting(waveform: torch.Tensor) -> torch.Tensor:
        if len(heard) == 100:
            heard.append(-1)
            raise KeyboardInterrupt
        heard.append(1)
        return describe(waveform)

    monkeypatch.setattr(encoder, "describe", counting)
    with pytest.raises(KeyboardInterrupt):
        describe_layers(clips, encoder, tmp_path)
    (next(tmp_path.iterdir()) / "00064.999.half").write_bytes(b"half a file")
    heard.clear()
    layers = describe_layers(clips, encoder, tmp_path)
    assert len(heard) == len(clips) - 64
    monkeypatch.undo()
    assert np.allclose(layers[clips[3].file], encoder.describe(torch.from_numpy(clips[3].speech)), atol=1e-2)


def test_another_corpus_or_encoder_gets_its_own_cache(clips: list[Clip], encoder: Encoder, tmp_path: Path) -> None:
    describe_layers(clips[:3], encoder, tmp_path)
    describe_layers(clips[:4], encoder, tmp_path)
    other = Encoder.load(str(write_encoder(tmp_path / "other", seed=1)))
    describe_layers(clips[:3], other, tmp_path / "cache")
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("encoder")]) == 2
    assert other.revision != encoder.revision


def test_the_whole_way_from_folds_to_the_recogniser(encoder_folder: Path, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", (2, 3, 5, 6, 9, 10))
    common = ["--data", str(corpus), "--allow-missing", "--model", "wav2vec2", "--encoder", str(encoder_folder)]
    common += ["--cache", str(tmp_path / "cache"), "--epochs", "3"]
    assert train.main([*common, "--folds", "0", "1", "--out", str(tmp_path / "results")]) == 0
    metrics = json.loads((tmp_path / "results/metrics.json").read_text())
    assert metrics["encoder"] == str(encoder_folder)
    calibration = str(tmp_path / "results/metrics.json")
    head = tmp_path / "head"
    assert train.main([*common, "--protocol", "all", "--calibration", calibration, "--out", str(head)]) == 0
    assert (head / "head.safetensors").stat().st_size < 2_000_000
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    prediction = load_comparison(head).recognize(tmp_path / "voice.wav")
    assert sum(prediction.probabilities.values()) == pytest.approx(1)


def test_what_is_missing_is_named_with_its_command(encoder: Encoder, encoder_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ComparisonMissing, match=r"has not been trained yet.*train.py"):
        load_comparison(tmp_path)
    copy = Path(shutil.copytree(encoder_folder, tmp_path / "encoder"))
    own = Encoder.load(str(copy))
    clip = Clip("a", speak(), (0, 30_000), 0, 0, 0, 1, is_song=False)
    head = fit_head([clip], describe_layers([clip], own, tmp_path), own, 0, HeadSettings(epochs=1))
    calibration = {"temperature": 1.0, "gender_temperature": 1.0, "abstain_below": 0.0}
    save_head(tmp_path / "head", head, calibration)
    assert load_comparison(tmp_path / "head")
    write_encoder(copy, seed=2)
    with pytest.raises(ComparisonMissing, match="not the one the head was trained on"):
        load_comparison(tmp_path / "head")
    shutil.rmtree(copy)
    with pytest.raises(ComparisonMissing, match="hf download"):
        load_comparison(tmp_path / "head")
    (tmp_path / "head" / "head.safetensors").write_bytes(b"damaged")
    with pytest.raises(ComparisonMissing, match="damaged"):
        load_comparison(tmp_path / "head")


def test_offline_the_message_comes_at_once(project: Path) -> None:
    code = (
        "import time, transformers; from ser_model.wav2vec2 import Encoder, ComparisonMissing; t = time.monotonic()\n"
        "try: Encoder.load('facebook/wav2vec2-base')\n"
        "except ComparisonMissing as error: print(error, '|', time.monotonic() - t)"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": "/nonexistent", "PATH": "/usr/bin"}
    started = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=environment, capture_output=True, text=True, check=True
    )
    message, seconds = run.stdout.strip().rsplit("|", 1)
    assert "hf download facebook/wav2vec2-base" in message
    assert float(seconds) < 5
    assert time.monotonic() - started < 60
