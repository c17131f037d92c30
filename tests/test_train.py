from __future__ import annotations

import argparse
import csv
import json
import shutil
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from made_corpus import make_clip, write_corpus, write_further
from tiny_whisper import write_whisper
from voice import RATE_HZ, speak

import train
from ser_model.cnn import CnnConfig, EmotionCnn
from ser_model.comparison import JoinedRecognizer, SecondOpinion
from ser_model.evaluation.metrics import BiasSettings
from ser_model.labels import EMOTIONS
from ser_model.recognize import EmotionRecognizer
from ser_model.training.clips import Clip, shuffle_labels
from ser_model.training.ensemble import FoldLogits
from ser_model.training.fit import ClipLogits, FitSettings
from ser_model.training.folds import Fold

SHORT = FitSettings(epochs=1, network=CnnConfig(channels=(16, 16, 16)))


def run(*arguments: object) -> int:
    return train.main([str(argument) for argument in arguments])


def read_metrics(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "metrics.json").read_text()))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), (2, 3, 5, 6, 9, 10))


@pytest.fixture(scope="module")
def command(corpus: Path) -> list[object]:
    return ["--data", corpus, "--allow-missing", "--jobs", 1]


@pytest.fixture(scope="module")
def results(command: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run of two folds and two seeds left."""
    out = tmp_path_factory.mktemp("results")
    assert run(*command, "--folds", 0, 1, "--epochs", 2, "--seeds", 2, "--out", out) == 0
    return out


def test_every_scored_clip_is_of_an_actor_of_its_fold(results: Path) -> None:
    with (results / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len({row["file"] for row in rows}) == len(rows) == 4 * 8
    assert {(row["fold"], row["actor"]) for row in rows} == {("0", "02"), ("0", "05"), ("1", "03"), ("1", "06")}
    assert all(sum(float(row[name]) for name in EMOTIONS) == pytest.approx(1, abs=1e-3) for row in rows)
    metrics = read_metrics(results)
    assert metrics["settings"]["epochs"] == 2
    assert metrics["ensembles"] == [[0, 1]]
    assert metrics["command"].startswith(
        "python train.py --data DIR --protocol luna --model cnn --folds 0 1 --epochs 2"
    )


def test_a_run_continues_where_it_was_interrupted(
    results: Path, command: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(results / "scores", tmp_path / "scores")
    damaged = tmp_path / "scores/fold-0-seed-0.npz"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    (tmp_path / "scores/fold-1-seed-1.npz").unlink()
    (tmp_path / "metrics.json").write_text(json.dumps(read_metrics(results) | {"minutes": 7.5, "date": "2020-02-02"}))
    options = ["--folds", 0, 1, "--epochs", 2, "--seeds", 2, "--out", tmp_path]
    assert run(*command, *options) == 0
    said = capsys.readouterr().err
    trained = {line.split(":")[0] for line in said.splitlines() if "epoch" in line}
    assert trained == {"fold 0 seed 0", "fold 1 seed 1"}
    assert run(*command, *options) == 0
    assert "epoch" not in capsys.readouterr().err
    metrics = read_metrics(tmp_path)
    assert (metrics["minutes"], metrics["date"]) == (7.5, "2020-02-02")  # of the run that trained
    described = train.describe_training(metrics | {"seeds": [0]}, True, 0, tmp_path / "metrics.json")
    assert described["minutes"] is None  # of another run


def test_the_weights_for_everybody_open_in_the_recognizer(
    results: Path, command: list[object], corpus: Path, tmp_path: Path
) -> None:
    options = ["--protocol", "all", "--epochs", 1, "--calibration", results / "metrics.json", "--out", tmp_path / "out"]
    assert run(*command, *options) == 0
    prediction = EmotionRecognizer.load(tmp_path / "out").recognize(next(iter(sorted(corpus.rglob("*.wav")))))
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert (tmp_path / "out/speaker.safetensors").exists()
    assert (tmp_path / "out/model.safetensors").stat().st_size < 5_000_000
    assert "they cannot be evaluated on them" in (tmp_path / "out/README.md").read_text()


@pytest.mark.slow
def test_the_classic_model_has_the_same_protocols_and_one_of_its_own(command: list[object], tmp_path: Path) -> None:
    options = [*command, "--model", "classic", "--epochs", 2, "--out", tmp_path]
    assert run(*options, "--folds", 0) == 0
    metrics = read_metrics(tmp_path)
    assert (metrics["model"], metrics["clips"], metrics["settings"]["epochs"]) == ("classic", 2 * 8, 2)
    assert run(*options, "--protocol", "random-copies") == 0
    assert read_metrics(tmp_path)["clips"] == 6 * 8  # a fifth of the clips and their four copies


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_further(tmp_path_factory.mktemp("further"))


@pytest.mark.slow
def test_corpora_are_left_out_in_turn_taught_by_an_encoder_and_the_weights_and_the_head_follow(
    command: list[object], corpus: Path, further: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setitem(train.SETTINGS, "cnn", lambda: replace(SHORT, passes={}))
    encoder, speech = write_whisper(tmp_path / "encoder"), tmp_path / "speech"
    speech.mkdir()
    for number in range(3):
        sf.write(speech / f"{number}.wav", speak("aeiou", seed=number), RATE_HZ)
    data = [command[0], corpus, further, *command[2:]]
    taught = ["--teacher", encoder, "--unlabeled", speech, "--epochs", 1]
    folds = ["--protocol", "corpora", *taught, "--seeds", 2, "--out", tmp_path / "corpora"]
    assert run(*data, *folds) == 0
    assert "CREMA-D: 12 clips of 2 speakers" in capsys.readouterr().err
    metrics = read_metrics(tmp_path / "corpora")
    assert set(metrics["corpora"]) == {"crema-d", "nemo"}
    assert metrics["mean"]["uar"] == pytest.approx(np.mean([one["uar"] for one in metrics["corpora"].values()]))
    assert metrics["folds"]["nemo"]["training_clips"] == {"ravdess": 48, "crema-d": 12, "unlabeled": 3}
    assert metrics["folds"]["nemo"]["speakers"] == {"nemo": ["nemo-KD0", "nemo-SK0"]}
    assert "--data DIR DIR --protocol corpora" in metrics["command"]
    assert "--teacher encoder --unlabeled DIR" in metrics["command"]
    assert len(list((tmp_path / "corpora/teacher").glob("*.npz"))) == 2  # one for both seeds
    assert run(*data, *folds) == 0
    assert "epoch" not in capsys.readouterr().err

    for_all = ["--protocol", "all", "--calibration", tmp_path / "corpora/metrics.json", "--out", tmp_path / "weights"]
    assert run(*data, *taught, *for_all) == 0
    recognizer = EmotionRecognizer.load(tmp_path / "weights")
    assert recognizer.calibration.temperature == metrics["calibration"]["temperature"]
    assert recognizer.calibration.class_bias == ()
    assert "| nEMO (pl) | 12 | 2 |" in (tmp_path / "weights/README.md").read_text()

    head = ["--model", "comparison", "--encoder", encoder, "--epochs", 1]
    alone = [*data, *head, "--protocol", "corpora", "--out", tmp_path / "comparison"]
    assert run(*alone) == 0
    head += ["--protocol", "all", "--calibration", tmp_path / "comparison/metrics.json", "--out", tmp_path / "head"]
    assert run(*data, *head) == 2
    assert "with --protocol corpora --join RUN" in capsys.readouterr().err.splitlines()[-1]
    assert run(*alone, "--join", tmp_path / "corpora") == 0
    assert set(read_metrics(tmp_path / "comparison")["joined"]["corpora"]) == {"crema-d", "nemo"}
    assert run(*data, *head) == 0
    opinions = JoinedRecognizer(recognizer, SecondOpinion.load(tmp_path / "head")).predict(speak())
    assert sum(opinions.joined.probabilities.values()) == pytest.approx(1)
    assert run(*alone, "--join", tmp_path / "elsewhere") == 2
    assert "Finish that run first" in capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen clips of two more speakers, half of them of an emotion that RAVDESS lacks."""
    folder = tmp_path_factory.mktemp("extra")
    lines = ["path,emotion,speaker,gender,language"]
    for number in range(16):
        emotion, woman = ("bored", "sad")[number % 2], number % 4 < 2
        voice = speak(("uouo", "iaia")[number % 2], 220 if woman else 120, seed=number)
        sf.write(folder / f"{number}.wav", voice, RATE_HZ)
        lines.append(f"{number}.wav,{emotion},{'anna,female' if woman else 'ben,male'},de")
    (folder / "more.csv").write_text("\n".join(lines) + "\n")
    return folder / "more.csv"


@pytest.mark.slow
def test_a_manifest_with_a_new_emotion_trains_a_model_with_that_class(
    manifest: Path, command: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folds, extra = tmp_path / "folds", ["--extra", manifest, "--epochs", 1]
    assert run(*command, *extra, "--folds", 0, "--seeds", 2, "--out", folds) == 0
    metrics = read_metrics(folds)
    assert metrics["emotions"] == [*EMOTIONS, "bored"]
    assert metrics["found"]["more.csv"] == "16 clips of 2 speakers"
    assert metrics["folds"]["0"]["training_clips"]["more.csv"] == 16
    assert list(metrics["recall"]) == list(EMOTIONS)
    assert metrics["clips"] == 16  # two actors of RAVDESS: the clips of the manifest are never scored
    assert "--extra more.csv" in metrics["command"]
    for_all = ["--protocol", "all", "--calibration", folds / "metrics.json"]
    assert run(*command, *extra, *for_all, "--out", tmp_path / "weights") == 0
    prediction = EmotionRecognizer.load(tmp_path / "weights").recognize(manifest.parent / "0.wav")
    assert list(prediction.probabilities) == [*EMOTIONS, "bored"]
    assert run(*command, *for_all, "--out", tmp_path / "eight") == 2
    assert "with the same --extra" in capsys.readouterr().err
    assert not (tmp_path / "eight").exists()


def test_further_corpora_are_measured_where_others_can_calibrate_them() -> None:
    """Every fold scores the corpora to validate with; TurEV-DB does not say who speaks."""
    names = {"nemo": ("a", "b"), "emospeech": ("c", "d"), "turev-db": ("?", "?")}
    clips = {
        corpus: [[make_clip(f"{corpus}-{who}-{i}", 2 + i % 3, who, corpus) for i in range(6)] for who in speakers]
        for corpus, speakers in names.items()
    }
    models = []
    for fold in range(2):
        test = [*clips["nemo"][fold], *chain(*clips["emospeech"], *clips["turev-db"])]
        logits = ClipLogits(2 * np.eye(8)[[clip.emotion for clip in test]], *np.zeros((2, len(test), 2)))
        models.append(FoldLogits(Fold(str(fold), [], test), 0, logits))
    found = train.measure_further(models, BiasSettings(), tuple(EMOTIONS))
    assert {name: one["uar"] for name, one in found.items()} == {"nemo": 1, "emospeech": 1}
    assert train.measure_further(models[:1], BiasSettings(), tuple(EMOTIONS)).keys() == {"emospeech"}


def test_training_sees_the_training_part_only_and_logits_of_other_labels_are_not_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [make_clip(str(i), i % 8, f"{i // 8:02d}") for i in range(32)]
    args = argparse.Namespace(run=tmp_path, jobs=1, teacher=None)
    trained: list[list[Clip]] = []
    scored: list[list[Clip]] = []

    def fit(part: list[Clip], *_: object) -> EmotionCnn:
        trained.append(part)
        return EmotionCnn(SHORT.network)

    def predict(_: EmotionCnn, part: list[Clip]) -> ClipLogits:
        scored.append(part)
        return ClipLogits(np.zeros((len(part), 8)), np.zeros((len(part), 2)), np.zeros((len(part), 2)))

    monkeypatch.setattr(train, "fit_network", fit)
    monkeypatch.setattr(train, "predict_clips", predict)
    folds = [Fold("0", clips[:16], clips[16:]), Fold("1", clips[16:], clips[:16])]
    for _ in range(2):  # the second time everything is cached
        train.train_networks(folds, 1, SHORT, args)
        assert trained == [clips[:16], clips[16:]]
        assert scored == [clips[16:], clips[:16]]
    other = shuffle_labels(clips)
    train.train_networks([Fold("0", other[:16], other[16:])], 1, SHORT, args)
    assert len(trained) == 3


def test_without_a_number_of_jobs_the_memory_bounds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def default_jobs(bytes_per_job: int) -> int:
        asked.append(bytes_per_job)
        return 1

    monkeypatch.setattr(train, "default_jobs", default_jobs)
    assert train.train_networks([], 1, SHORT, argparse.Namespace(run=tmp_path, jobs=None, teacher=None)) == []
    assert asked == [train.JOB_BYTES]
    assert train.JOB_BYTES >= 1024**3


@pytest.mark.slow
def test_shuffled_labels_cannot_be_learned(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "corpus", (2, 3, 5, 6, 8, 9, 10, 13, 14, 15, 16, 17), repetitions=2)
    options = ["--data", data, "--allow-missing", "--folds", 0, "--epochs", 5, "--jobs", 1]
    assert run(*options, "--out", tmp_path / "true") == 0
    assert run(*options, "--shuffle-labels", "--out", tmp_path / "shuffled") == 0
    assert read_metrics(tmp_path / "true")["uar"] > 0.5
    assert read_metrics(tmp_path / "shuffled")["uar"] < 0.25  # chance: 0.125


@pytest.mark.slow
def test_an_epoch_on_the_real_corpus_beats_chance(shared: Path, tmp_path: Path) -> None:
    assert run("--data", shared / "data/ravdess", "--folds", 0, "--epochs", 1, "--jobs", 2, "--out", tmp_path) == 0
    assert read_metrics(tmp_path)["uar"] > 0.2  # chance: 0.125


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "does not exist"),
        (["--data", "FURTHER"], "--protocol luna needs RAVDESS"),
        (["--data", "CORPUS"], "of 1440 speech clips"),
        (["--data", "CORPUS", "--allow-missing", "--folds", "7"], "Choose from"),
        (["--data", "CORPUS", "--allow-missing", "--protocol", "loso", "--folds", "02"], "at least two"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(
    arguments: list[str], message: str, corpus: Path, further: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = {"CORPUS": corpus, "FURTHER": further}
    assert run(*(folders.get(argument, argument) for argument in arguments), "--out", tmp_path) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "must be 1 or more"),
        (["--protocol", "all"], "needs --calibration"),
        (["--protocol", "all", "--calibration", "m.json", "--seeds", "2"], "leave them out"),
        (["--protocol", "all", "--calibration", "m.json", "--shuffle-labels"], "use it with another protocol"),
        (["--calibration", "m.json"], "goes with --protocol all"),
        (["--encoder", "facebook/wav2vec2-base"], "goes with --model comparison"),
        (["--protocol", "random-copies"], "use it with --model classic"),
        (["--push", "OWNER/NAME"], "goes with --protocol all"),
        (["--teacher", "ENCODER", "--model", "comparison"], "--teacher goes with --model cnn"),
        (["--unlabeled", "DIR"], "--unlabeled needs --teacher"),
        (["--join", "RUN"], "--join goes with --model comparison"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run("--data", "nowhere", *arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "classic"}, "is not of folds of this model"),
        ({"labels": "shuffled"}, "is not of folds of this model"),
        ({"validation": True}, "is not of folds of this model"),
        ({"calibration": None}, "is not of folds of this model"),
        ({"protocol": "random"}, "is of known speakers"),
        ({"ensembles": [[0]]}, "Run the folds again with --seeds 2 or more"),
    ],
)
def test_a_calibration_of_something_else_is_refused_before_training(
    change: dict[str, Any], message: str, results: Path, command: list[object], tmp_path: Path,
    capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    metrics = {name: value for name, value in (read_metrics(results) | change).items() if value is not None}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    options = ["--protocol", "all", "--calibration", tmp_path / "metrics.json", "--out", tmp_path / "weights"]
    assert run(*command, *options) == 2
    said = capsys.readouterr().err
    assert message in said.splitlines()[-1]
    assert "epoch" not in said
