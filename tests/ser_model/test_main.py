from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from encoded import encode
from voice import RATE_HZ, speak

from ser_model.__main__ import COMMANDS, main
from ser_model.labels import EMOTIONS
from ser_model.recognize import NOT_SURE, EmotionRecognizer, Prediction
from ser_model.speaker import SpeakerProfile

KEYS = {
    "file", "emotion", "sure", "probabilities", "gender", "gender_probability", "intensity", "intensity_probability",
    "measured_accuracy",
    "speech", "timeline", "notice"
}  # fmt: skip


@pytest.fixture
def voice(tmp_path: Path) -> str:
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    return str(tmp_path / "voice.wav")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    sf.write(folder / "a.wav", speak(), RATE_HZ)
    (folder / "letter.wav").write_text("dear reader")
    for name in ("notes.txt", "more.TXT", "voice"):
        (folder / name).touch()
    return folder


def test_files_become_lines_or_one_json_document_or_a_table(voice: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", voice, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [set(row) for row in rows] == [KEYS]
    assert list(rows[0]["probabilities"]) == list(EMOTIONS)
    assert set(rows[0]["timeline"][0]) == {"start_s", "end_s", "probabilities"}
    assert main(["predict", voice, voice]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{voice}: ") and line.endswith("male voice") for line in lines)
    assert main(["predict", voice, voice, "--out", f"{voice}.csv"]) == 0
    assert pd.read_csv(f"{voice}.csv")[[f"p_{emotion}" for emotion in EMOTIONS]].sum(axis=1).tolist() == pytest.approx(
        [1, 1], abs=1e-3
    )


def test_what_was_left_out_is_told_also_when_the_answer_is_not_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(EmotionRecognizer, "answer", unsure_answer(EmotionRecognizer.answer))
    sf.write(tmp_path / "one.wav", np.stack([speak(), 0 * speak()], axis=1), RATE_HZ)
    assert main(["predict", str(tmp_path / "one.wav")]) == 0
    said = capsys.readouterr().out
    assert "not sure" in said
    assert said.rstrip().endswith("Only channel 1 of 2 has speech; the others were left out.")
    assert main(["predict", str(tmp_path / "one.wav"), "--out", str(tmp_path / "t.csv")]) == 0
    assert "Only channel 1" in pd.read_csv(tmp_path / "t.csv")["notice"][0]


def unsure_answer(answer: Callable[..., Prediction]) -> Callable[..., Prediction]:
    return lambda *given: replace(answer(*given), emotion=None, sure=False, notice=NOT_SURE)


def test_bad_files_are_reported_and_do_not_stop_the_others(
    voice: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(folder / "letter.wav"), "nowhere.wav", str(folder), voice, "--json"]) == 2
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    assert [bool(row["speech"]) for row in rows] == [False, False, False, True]
    assert [set(row) for row in rows] == [KEYS] * 4
    assert len(printed.err.splitlines()) == 3
    assert "Traceback" not in printed.err


def test_a_folder_becomes_a_table_and_the_count_is_on_standard_error(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model is loaded by the worker processes only."""
    monkeypatch.setattr(EmotionRecognizer, "load", None)
    assert main(["predict", str(folder), "--out", str(tmp_path / "t.csv"), "--jobs", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-2].endswith("2 files, 1 could not be judged (see its column error).")
    assert printed.err.splitlines()[-1] == "3 files were passed over: 2 .txt, 1 without an ending."
    assert pd.read_csv(tmp_path / "t.csv")["file"].tolist() == ["a.wav", "letter.wav"]
    (folder / "a.wav").unlink()  # now none can be judged
    assert main(["predict", str(folder), "--out", str(tmp_path / "t.csv"), "--jobs", "1"]) == 2


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_no_answer_is_lost_by_a_name_that_cannot_be_printed(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [tmp_path / name for name in ("a.wav", "\u65e5\u672c.wav", os.fsdecode(b"\xe4.wav"), "z.wav")]
    for name in names:
        name.write_bytes(encode(speak()))
    files = [str(path) for path in (tmp_path / os.fsdecode(b"gone-\xe4.wav"), *names)]

    def run(*options: str) -> str:
        written = {name: io.BytesIO() for name in ("stdout", "stderr")}
        for name, file in written.items():
            monkeypatch.setattr(sys, name, io.TextIOWrapper(file, encoding=encoding, write_through=True))
        assert main(["predict", *files, *options]) == 2
        assert len(written["stderr"].getvalue().splitlines()) == 1
        return written["stdout"].getvalue().decode(encoding)

    assert len(run().splitlines()) == 4
    assert [row["file"] for row in json.loads(run("--json"))] == files
    run("--out", str(tmp_path / "t.csv"))
    assert pd.read_csv(tmp_path / "t.csv")["error"].isna().tolist() == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("voice", ["--out", "table.xls"], "must end in"),
        ("voice", ["--jobs", "2"], "for a folder"),
        ("voice", ["--enroll", "nowhere"], "nowhere: No such file"),
        ("voice", ["--weights", "nowhere"], "nowhere/config.json is missing"),
        ("voice", ["--save-profile", "me.json"], "--enroll"),
        ("folder", ["--enroll", "PROFILE", "--out", "OUT"], "made with other weights"),
        ("voice", ["--enroll", "VOICE", "VOICE"], "voice.wav does not name its emotion"),
        ("folder", ["--json"], "Add --out TABLE"),
        ("folder", ["--out", "nowhere/table.csv"], "no folder nowhere"),
        ("folder", ["--out", "OUT", "--jobs", "0"], "--jobs"),
        ("empty", ["--out", "OUT"], "has no recordings"),
    ],
)
def test_bad_options_end_with_2_and_one_line(
    voice: str, folder: Path, tmp_path: Path, target: str, options: list[str], message: str,
    capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    (tmp_path / "empty").mkdir()
    paths = {"VOICE": voice, "OUT": str(tmp_path / "out.csv"), "PROFILE": str(tmp_path / "other.json")}
    (tmp_path / "other.json").write_text(json.dumps(SpeakerProfile("other weights", {"neutral": (0.5,)}).to_json()))
    files = {"voice": voice, "folder": str(folder), "empty": str(tmp_path / "empty")}
    assert main(["predict", files[target], *(paths.get(option, option) for option in options)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("argv", [[], ["sing"], ["predict"], ["predict", "a.wav", "--loud"]])
def test_a_wrong_command_line_ends_with_2_and_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_help_names_every_command_and_loads_none(project: Path) -> None:
    code = "import sys, ser_model.__main__ as m\ntry: m.main(['--help'])\nfinally: print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    text, modules = run.stdout.rsplit("\n", 2)[:2]
    assert all(f"  {name} " in text for name in COMMANDS)
    assert not {name for name in modules.split() if name.startswith(("ser_model.training", "ser_model.evaluation"))}


def test_a_profile_can_be_saved_and_used_again(voice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips, saved = tmp_path / "clips", str(tmp_path / "me.json")
    clips.mkdir()
    for emotion in EMOTIONS:
        sf.write(clips / f"{emotion}.wav", speak("aeiouaei", seed=len(emotion)), RATE_HZ)
    assert main(["predict", voice, "--enroll", str(clips), "--save-profile", saved, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["predict", voice, "--enroll", saved, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again[0]["probabilities"] == pytest.approx(first[0]["probabilities"], abs=1e-3)


def test_the_shipped_weights_on_ten_clips_of_their_training(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(str(path) for path in (shared / "data/ravdess/original_48k").glob("*/*.wav"))
    assert main(["predict", *files, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    predicted = [max(row["probabilities"], key=row["probabilities"].get) for row in rows]
    acted = [EMOTIONS[int(Path(file).name[7]) - 1] for file in files]
    assert sum(one == other for one, other in zip(predicted, acted, strict=True)) >= 8
    assert [row["gender"] for row in rows] == ["male" if int(Path(f).stem[-2:]) % 2 else "female" for f in files]
