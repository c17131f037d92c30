from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import soundfile as sf
from made_corpus import write_corpus
from voice import RATE_HZ, speak

import train
from ser_model.labels import EMOTIONS
from ser_model.recognize import EmotionRecognizer
from ser_model.training import copies


def run(*arguments: object) -> int:
    return train.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), (2, 3, 5, 6, 9, 10))


@pytest.fixture(scope="module")
def results(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    command = ["--data", corpus, "--allow-missing", "--folds", 0, 1, "--epochs", 2, "--seeds", 2]
    assert run(*command, "--jobs", 1, "--out", out) == 0
    return out


def test_every_scored_clip_belongs_to_an_actor_of_its_fold(results: Path) -> None:
    with (results / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len({row["file"] for row in rows}) == len(rows) == 4 * 8
    assert {(row["fold"], row["actor"]) for row in rows} == {("0", "2"), ("0", "5"), ("1", "3"), ("1", "6")}
    assert all(sum(float(row[name]) for name in list(row)[5:13]) == pytest.approx(1, abs=1e-3) for row in rows)


def test_the_metrics_say_how_they_were_made(results: Path) -> None:
    metrics = json.loads((results / "metrics.json").read_text())
    wanted = {"uar", "accuracy", "recall", "accuracy_by_actor", "uar_interval_95", "ece", "gender", "seeds", "folds"}
    assert wanted | {"command", "versions", "settings", "calibration"} <= set(metrics)
    assert metrics["settings"]["epochs"] == 2


def test_an_interrupted_run_goes_on_where_it_stopped(
    results: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    command = ["--data", corpus, "--allow-missing", "--folds", 0, 1, "--epochs", 2, "--seeds", 2]
    run(*command, "--jobs", 1, "--out", results)
    assert "epoch" not in capsys.readouterr().err


def test_scores_that_were_cut_are_made_anew(results: Path, corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(results / "scores", tmp_path / "scores")
    cut = tmp_path / "scores/fold-0-seed-0.npz"
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    command = ["--data", corpus, "--allow-missing", "--folds", 0, "--epochs", 2, "--seeds", 2]
    assert run(*command, "--jobs", 1, "--out", tmp_path) == 0
    assert len(cut.read_bytes()) > len(whole) // 2
    assert json.loads((tmp_path / "metrics.json").read_text())["minutes"] is None


def test_the_weights_for_everybody_open_in_the_recogniser(results: Path, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "weights"
    calibration = results / "metrics.json"
    command = ["--data", corpus, "--allow-missing", "--protocol", "all", "--epochs", 1, "--out", out]
    assert run(*command, "--calibration", calibration) == 0
    prediction = EmotionRecognizer.load(out).recognize(next(iter(sorted(corpus.rglob("*.wav")))))
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert (out / "speaker.safetensors").exists()
    card = (out / "README.md").read_text()
    assert "no figure can be measured with them" in card
    assert (out / "model.safetensors").stat().st_size < 5_000_000


def test_the_classic_model_goes_through_the_same_protocol(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "PROCESSES", 1)
    command = ["--data", corpus, "--allow-missing", "--model", "classic", "--epochs", 2, "--cache", tmp_path]
    assert run(*command, "--folds", 0, "--out", tmp_path) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["model"] == "classic"
    assert metrics["clips"] == 2 * 8
    assert metrics["settings"]["epochs"] == 2
    assert run(*command, "--protocol", "random-copies", "--out", tmp_path) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["clips"] == 6 * 8  # a fifth of the clips and their four copies


def test_the_split_over_copies_is_for_the_classic_model_alone(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run("--data", corpus, "--protocol", "random-copies")
    assert stop.value.code == 2
    assert "use it with --model classic" in capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen clips of two more speakers, half of them in an emotion that RAVDESS lacks."""
    folder = tmp_path_factory.mktemp("extra")
    lines = ["path,emotion,speaker,gender,language"]
    for number in range(16):
        emotion, woman = ("bored", "sad")[number % 2], number % 4 < 2
        voice = speak(("uouo", "iaia")[number % 2], 220 if woman else 120, seed=number)
        sf.write(folder / f"{number}.wav", voice, RATE_HZ)
        lines.append(f"{number}.wav,{emotion},{'anna,female' if woman else 'ben,male'},de")
    (folder / "more.csv").write_text("\n".join(lines) + "\n")
    return folder / "more.csv"


def test_a_manifest_with_a_new_emotion_trains_a_model_that_knows_it(
    manifest: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--data", corpus, "--allow-missing", "--extra", manifest, "--epochs", 1]
    assert run(*command, "--folds", 0, "--seeds", 2, "--jobs", 1, "--out", tmp_path / "folds") == 0
    metrics = json.loads((tmp_path / "folds/metrics.json").read_text())
    assert metrics["emotions"] == [*EMOTIONS, "bored"]
    assert metrics["extra"]["emotions"] == {"bored": 8, "sad": 8}
    assert list(metrics["recall"]) == list(EMOTIONS)
    assert metrics["clips"] == 16  # two actors of RAVDESS: what joins the training is never scored
    assert "--extra more.csv" in metrics["command"]
    calibration = tmp_path / "folds/metrics.json"
    assert run(*command, "--protocol", "all", "--calibration", calibration, "--out", tmp_path / "weights") == 0
    heard = EmotionRecognizer.load(tmp_path / "weights").recognize(manifest.parent / "0.wav")
    assert list(heard.probabilities) == [*EMOTIONS, "bored"]
    without = [*command[:3], "--protocol", "all", "--calibration", calibration, "--out", tmp_path / "eight"]
    assert run(*without) == 2
    assert "with the same --extra" in capsys.readouterr().err
    assert not (tmp_path / "eight").exists()


@pytest.mark.slow
def test_shuffled_labels_are_learned_by_nobody(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "corpus", (2, 3, 5, 6, 8, 9, 10, 13, 14, 15, 16, 17), repetitions=2)
    command = ["--data", data, "--allow-missing", "--folds", 0, 1, "--epochs", 10, "--jobs", 1]
    assert run(*command, "--out", tmp_path / "true") == 0
    assert run(*command, "--shuffle-labels", "--out", tmp_path / "shuffled") == 0
    uars = [json.loads((tmp_path / name / "metrics.json").read_text())["uar"] for name in ("true", "shuffled")]
    assert uars[0] > 0.5
    assert uars[1] < 0.25  # chance: 0.125


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "does not exist"),
        (["--data", "CORPUS"], "of 1440 clips"),
        (["--data", "CORPUS", "--allow-missing", "--folds", "7"], "Choose from"),
        (["--data", "CORPUS", "--allow-missing", "--protocol", "loso", "--folds", "02"], "two actors at least"),
        (
            ["--data", "CORPUS", "--allow-missing", "--extra", "none.csv"],
            "Give a CSV file with the columns path, emotion",
        ),
    ],
)
def test_bad_input_ends_with_2_and_one_line(
    arguments: list[str], message: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(corpus) if argument == "CORPUS" else argument for argument in arguments]
    capsys.readouterr()
    assert run(*arguments, "--out", tmp_path) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "must be 1 or more"),
        (["--jobs", "0"], "must be 1 or more"),
        (["--seeds", "-1"], "must be 1 or more"),
        (["--protocol", "all"], "needs --calibration"),
        (["--protocol", "all", "--calibration", "m.json", "--seeds", "2"], "leave them out"),
        (["--protocol", "all", "--calibration", "m.json", "--shuffle-labels"], "use it with another protocol"),
        (["--calibration", "m.json"], "goes with --protocol all"),
        (["--encoder", "facebook/wav2vec2-base"], "goes with --model wav2vec2"),
        (["--cache", "here"], "leave it out with --model cnn"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("--data", "nowhere", *arguments)
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"model": "classic"}, "is not of folds of this model"),
        ({"labels": "shuffled"}, "is not of folds of this model"),
        ({"choosing": True}, "is not of folds of this model"),
        ({"calibration": None}, "is not of folds of this model"),
        ({"protocol": "random"}, "is of known speakers"),
        ({"models": [[0]]}, "Run the folds again with --seeds 2 or more"),
    ],
)
def test_a_calibration_of_something_else_is_refused_before_training(
    spoil: dict[str, object],
    message: str,
    results: Path,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    metrics = json.loads((results / "metrics.json").read_text()) | spoil
    wrong = tmp_path / "metrics.json"
    wrong.write_text(json.dumps({name: value for name, value in metrics.items() if value is not None}))
    command = ["--data", corpus, "--allow-missing", "--protocol", "all", "--epochs", 1, "--out", tmp_path / "weights"]
    capsys.readouterr()
    assert run(*command, "--calibration", wrong) == 2
    said = capsys.readouterr().err
    assert message in said.splitlines()[-1]
    assert "epoch" not in said


@pytest.mark.slow
def test_two_epochs_on_the_real_corpus_beat_chance(shared: Path, tmp_path: Path) -> None:
    assert run("--data", shared / "data/ravdess", "--folds", 0, "--epochs", 2, "--jobs", 1, "--out", tmp_path) == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["uar"] > 0.2  # chance: 0.125
