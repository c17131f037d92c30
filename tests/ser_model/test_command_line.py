from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.__main__ import main
from ser_model.labels import EMOTIONS
from ser_model.voice import LearnedVoice

KEYS = {"file", "emotion", "sure", "probabilities", "gender", "gender_probability", "intensity"} | {
    "intensity_probability",
    "speech",
    "timeline",
    "notice",
}


@pytest.fixture
def voice(tmp_path: Path) -> str:
    sf.write(tmp_path / "voice.wav", speak(), RATE_HZ)
    return str(tmp_path / "voice.wav")


def test_json_has_the_promised_keys(voice: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", voice, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [set(row) for row in rows] == [KEYS]
    assert list(rows[0]["probabilities"]) == list(EMOTIONS)
    assert set(rows[0]["timeline"][0]) == {"start_s", "end_s", "probabilities"}


def test_one_bad_file_is_reported_and_spoils_nothing(
    voice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = tmp_path / "letter.wav"
    letter.write_text("dear reader")
    assert main(["predict", str(letter), "nowhere.wav", str(tmp_path), voice, "--json"]) == 2
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    assert [bool(row["speech"]) for row in rows] == [False, False, False, True]
    assert [set(row) for row in rows] == [KEYS] * 4
    assert len(printed.err.splitlines()) == 3
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_have_a_row_a_file(voice: str, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"table.{suffix}"
    assert main(["predict", voice, voice, "--out", str(out)]) == 0
    table = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
    assert len(table) == 2
    assert table[[f"p_{emotion}" for emotion in EMOTIONS]].sum(axis=1).tolist() == pytest.approx([1, 1], abs=1e-3)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--out", "table.xls"],
        ["--jobs", "2"],
        ["--baseline", "nowhere"],
        ["--weights", "nowhere"],
        ["--save-voice", "me.json"],
    ],
)
def test_bad_options_end_with_2_and_one_line(
    voice: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", voice, *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_learned_voice_can_be_kept_and_brought_along(
    voice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips, kept = tmp_path / "clips", str(tmp_path / "me.json")
    clips.mkdir()
    for emotion in EMOTIONS:
        sf.write(clips / f"{emotion}.wav", speak("aeiouaei", seed=len(emotion)), RATE_HZ)
    assert main(["predict", voice, "--baseline", str(clips), "--save-voice", kept, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["predict", voice, "--baseline", kept, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["emotion"] == first[0]["emotion"]


def test_a_voice_of_other_weights_is_refused_before_anything_is_heard(
    voice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(LearnedVoice("other weights", {"neutral": (0.5,)}).to_json()))
    assert main(["predict", str(tmp_path), "--baseline", str(other), "--out", str(tmp_path / "t.csv")]) == 2
    assert "learned with other weights" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()


def test_a_clip_that_cannot_be_learned_from_is_named(
    tmp_path: Path, voice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sf.write(tmp_path / "sad.wav", np.zeros(RATE_HZ), RATE_HZ)
    sf.write(tmp_path / "happy.wav", speak(), RATE_HZ)
    baseline = [str(tmp_path / "happy.wav"), str(tmp_path / "sad.wav")]
    assert main(["predict", voice, "--baseline", *baseline]) == 2
    assert "clip for sad" in capsys.readouterr().err


def test_a_wrong_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["predict"])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_several_clips_must_say_their_emotion(voice: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", voice, "--baseline", voice, voice]) == 2
    assert "voice.wav does not say its emotion" in capsys.readouterr().err


def test_the_shipped_weights_on_the_ten_published_clips(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(str(path) for path in (shared / "data/ravdess/original_48k").glob("*/*.wav"))
    assert main(["predict", *files, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    likeliest = [max(row["probabilities"], key=row["probabilities"].get) for row in rows]
    acted = [EMOTIONS[int(Path(file).name[7]) - 1] for file in files]
    assert sum(one == other for one, other in zip(likeliest, acted, strict=True)) >= 8  # heard in training
    assert [row["gender"] for row in rows] == ["male" if int(Path(f).stem[-2:]) % 2 else "female" for f in files]
