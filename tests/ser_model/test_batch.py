from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile as sf
from av.format import ContainerFormat
from joblib import cpu_count
from voice import RATE_HZ, speak

from ser_model.__main__ import main
from ser_model.audio import CLIP_LIMITS
from ser_model.batch import (
    CRASHED,
    FileResult,
    count_others,
    default_jobs,
    list_recordings,
    make_table,
    map_in_processes,
    predict_files,
    predict_folder,
    read_labels,
    write_table,
)
from ser_model.cnn import CnnConfig
from ser_model.decode import FORMATS
from ser_model.hub import make_config
from ser_model.labels import EMOTIONS
from ser_model.recognize import WEIGHTS, EmotionRecognizer

BAD = ("b/cut.flac", "b/empty.mp3", "b/letter.wav", "b/pipe.wav", "b/silence.wav", "gone.ogg")


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer.load()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good and bad recordings in folders of folders."""
    folder = tmp_path_factory.mktemp("archive")
    for place in ("a", "b", "c/d", ".hidden"):
        (folder / place).mkdir(parents=True)
    for number, name in enumerate(("c/d/deep.FLAC", "a/one.wav", "a/two.ogg", "top.mp3")):
        sf.write(folder / name, speak(pitch_hz=120 + 30 * number), RATE_HZ)
    (folder / "b/cut.flac").write_bytes((folder / "c/d/deep.FLAC").read_bytes()[:9000])
    (folder / "b/empty.mp3").touch()
    (folder / "b/letter.wav").write_text("dear reader")
    os.mkfifo(folder / "b/pipe.wav")
    sf.write(folder / "b/silence.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    (folder / "gone.ogg").symlink_to("nowhere")
    (folder / "readme.txt").write_text("not a recording")
    (folder / ".hidden/voice.wav").write_text("left out")
    (folder / "a/._one.wav").write_text("left out")
    return folder


@pytest.fixture(scope="module")
def table(archive: Path) -> pd.DataFrame:
    return predict_folder(archive, jobs=2)


# one loop


def test_a_bad_file_costs_only_its_own_result(recognizer: EmotionRecognizer, archive: Path) -> None:
    files = [archive / "b/letter.wav", archive / "a/one.wav", archive / "nowhere.wav", archive]
    letter, good, missing, folder = predict_files(recognizer, files)
    assert good.error is None
    assert good.prediction == recognizer.recognize(archive / "a/one.wav")
    assert [result.file for result in (letter, good)] == [str(file) for file in files[:2]]
    for result, sentence in ((letter, "not a recording"), (missing, "no such file"), (folder, "is a folder")):
        assert result.prediction is None
        assert sentence in str(result.error)
        assert set(result.to_json()) == set(good.to_json())


def test_an_unexpected_error_costs_only_its_own_result(
    recognizer: EmotionRecognizer, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, fails = recognizer.predict(speak()), iter([True, False])
    monkeypatch.setattr(recognizer, "predict", lambda *_: 1 / 0 if next(fails) else right)
    bad, good = predict_files(recognizer, 2 * [archive / "a/one.wav"])
    assert bad.error == "This file could not be judged (ZeroDivisionError: division by zero)."
    assert good.prediction is right


def test_the_caller_chooses_the_limits(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    sf.write(tmp_path / "long.wav", np.tile(speak(), 25), RATE_HZ)
    (long,) = predict_files(recognizer, [tmp_path / "long.wav"])
    assert long.duration_s == pytest.approx(25 * speak().size / RATE_HZ)
    (refused,) = predict_files(recognizer, [tmp_path / "long.wav"], limits=CLIP_LIMITS)
    assert "longer than 60 seconds" in str(refused.error)


# folders


def test_every_recording_at_any_depth_has_its_row_in_order(table: pd.DataFrame, archive: Path) -> None:
    assert table["file"].tolist() == sorted(["a/one.wav", "a/two.ogg", "c/d/deep.FLAC", "top.mp3", *BAD])
    assert table["file"].tolist() == list_recordings(archive)
    bad = table[table["error"].notna()]
    assert bad["file"].tolist() == sorted(BAD)
    assert bad["error"].str.endswith(".").all()
    assert bad[["emotion", "certainty", "p_sad", "gender", "speech_start_s"]].isna().all(axis=None)
    assert bad.set_index("file")["duration_s"].dropna().to_dict() == {"b/silence.wav": 1.0}


def test_a_file_in_a_folder_gets_the_same_answer_as_alone(
    table: pd.DataFrame, archive: Path, recognizer: EmotionRecognizer
) -> None:
    (result,) = predict_files(recognizer, [archive / "a/one.wav"])
    row, alone = table.set_index("file").loc["a/one.wav"].dropna().to_dict(), result.to_row()
    assert row == pytest.approx({name: value for name, value in alone.items() if name != "file" and value is not None})


def test_every_ending_that_the_decoder_reads_is_a_recording(tmp_path: Path) -> None:
    pictures = {"avif", "heic", "heif", "mks"}
    endings = {ending for name in FORMATS for ending in ContainerFormat(name, "r").extensions} - pictures
    endings |= {name.lower() for name in sf.available_formats()} & {"wav", "flac", "ogg", "mp3", "aiff", "caf", "w64"}
    names = [f"a.{ending}" for ending in sorted(endings)]
    for name in [*names, "IMG_0001.MOV", "notes.txt", "photo.JPG", "voice", "other.jpg", ".hidden.txt"]:
        (tmp_path / name).touch()
    assert set(list_recordings(tmp_path)) == {*names, "IMG_0001.MOV"}
    assert count_others(tmp_path) == {".txt": 1, ".jpg": 2, "": 1}


def crash_at(names: set[str], name: str) -> FileResult:
    if name in names:
        os._exit(1)  # as a fault in a decoder does
    return FileResult(name)


@pytest.mark.slow
def test_a_file_that_crashes_its_process_costs_only_its_own_row() -> None:
    names = [f"clip-{number:02d}" for number in range(30)]
    results = list(map_in_processes(partial(crash_at, {names[3], names[20]}), names, jobs=2))
    assert [result.file for result in results] == names
    assert [result.error for result in results] == [CRASHED if i in (3, 20) else None for i in range(30)]


def test_as_many_processes_run_as_the_cores_and_the_memory_allow() -> None:
    assert 1 <= default_jobs(1) <= cpu_count()
    assert default_jobs(2**60) == 1


# tables


def test_every_word_and_number_of_a_prediction_is_a_column(recognizer: EmotionRecognizer) -> None:
    row = FileResult("good.wav", recognizer.predict(speak()), duration_s=2.345).to_row()
    assert all(isinstance(value, str | bool | int | float | None) for value in row.values())
    assert {"intensity", "intensity_probability", "gender", "sure", "p_surprised", "speech_end_s"} <= set(row)
    assert row["duration_s"] == pytest.approx(2.35, abs=0.01)
    assert set(make_table([FileResult("bad.wav", error="Why.")], EMOTIONS).columns) == set(row)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_types_never_depend_on_the_results(recognizer: EmotionRecognizer, tmp_path: Path, suffix: str) -> None:
    good = FileResult("good.wav", recognizer.predict(speak()), duration_s=2.0)
    bad = FileResult("bad.wav", error="Why.")
    schemas = []
    for results in ([good], [bad], [good, bad]):
        table = make_table(results, EMOTIONS)
        write_table(tmp_path / f"t.{suffix}", table)
        schemas.append(table.dtypes.to_dict() if suffix == "csv" else pq.read_schema(tmp_path / "t.parquet"))
    assert schemas[0] == schemas[1] == schemas[2]


def test_labels_are_read_without_the_network(tmp_path: Path) -> None:
    make_config(CnnConfig(emotions=(*EMOTIONS, "bored"))).save_pretrained(tmp_path)
    assert read_labels(tmp_path) == [*EMOTIONS, "bored"]
    assert read_labels(WEIGHTS) == list(EMOTIONS)


def test_file_names_are_neither_run_by_a_spreadsheet_nor_stop_the_table(tmp_path: Path) -> None:
    names = ["=1+1.wav", "  @SUM(A1).wav", "-2.wav", "\uff1d1+1.wav", os.fsdecode(b"\xff.wav")]
    table = make_table([FileResult(name, error=f"{name}: why.") for name in names], EMOTIONS)
    write_table(tmp_path / "t.csv", table)
    assert pd.read_csv(tmp_path / "t.csv")["file"].tolist() == [*(f"'{name}" for name in names[:-1]), "?.wav"]
    write_table(tmp_path / os.fsdecode(b"\xe4.parquet"), table)
    assert (tmp_path / os.fsdecode(b"\xe4.parquet")).stat().st_size


def test_an_interrupted_write_leaves_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, table = tmp_path / "t.csv", make_table([FileResult("a.wav", error="Why.")], EMOTIONS)
    path.write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda _, path, **__: path.write_text("half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_table(path, table)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


# Ray, in a process of its own because it talks on the machine's own address


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="pip install -r requirements-cluster.txt")
def test_ray_writes_the_same_table_as_the_processes(project: Path, archive: Path, tmp_path: Path) -> None:
    (archive / os.fsdecode(b"not-text-\xff.wav")).touch()
    ours, rays = tmp_path / "ours.csv", tmp_path / "rays.csv"
    assert main(["predict", str(archive), "--out", str(ours), "--jobs", "1"]) == 0
    command = [sys.executable, "-m", "ser_model", "predict", str(archive), "--out", str(rays), "--jobs", "2", "--ray"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    assert rays.read_text() == ours.read_text()


def test_without_ray_the_message_says_how_to_get_it(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["predict", str(archive), "--out", str(tmp_path / "t.csv"), "--ray"]) == 2
    assert "pip install -r requirements-cluster.txt" in capsys.readouterr().err
