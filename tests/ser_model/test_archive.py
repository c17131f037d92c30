from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.__main__ import main
from ser_model.archive import AUDIO_SUFFIXES, CRASHED, ScoringJob, list_recordings, score_files
from ser_model.labels import EMOTIONS
from ser_model.recognize import EmotionRecognizer
from ser_model.table import Row, describe_failure, make_table

BAD = ("b/cut.flac", "b/empty.mp3", "b/letter.wav", "b/pipe.wav", "b/silence.wav", "gone.ogg")


@dataclass(frozen=True)
class Crashing(ScoringJob):
    """A job with files that end the process that reads them, as a fault in a decoder does."""

    def score(self, name: str) -> Row:
        if name.startswith("crash"):
            os._exit(1)
        return {"file": name, "error": None}


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
    (folder / "readme.txt").write_text("no recording")
    (folder / ".hidden/voice.wav").write_text("left out")
    (folder / "a/._one.wav").write_text("left out")
    return folder


@pytest.fixture(scope="module")
def run(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, str]:
    """The table of the archive, and what was said on standard error."""
    out, said = tmp_path_factory.mktemp("out") / "clips.parquet", io.StringIO()
    with contextlib.redirect_stderr(said):
        assert main(["predict", str(archive), "--out", str(out), "--jobs", "2"]) == 0
    return pd.read_parquet(out), said.getvalue()


@pytest.fixture
def table(run: tuple[pd.DataFrame, str]) -> pd.DataFrame:
    return run[0]


def test_every_recording_at_any_depth_has_its_row_in_the_order_of_names(table: pd.DataFrame, archive: Path) -> None:
    assert table["file"].tolist() == sorted(["a/one.wav", "a/two.ogg", "c/d/deep.FLAC", "top.mp3", *BAD])
    assert table["file"].tolist() == list_recordings(archive)


def test_a_bad_file_says_why_and_spoils_nothing(table: pd.DataFrame) -> None:
    bad = table[table["error"].notna()]
    assert bad["file"].tolist() == sorted(BAD)
    assert bad["error"].str.endswith(".").all()
    assert bad[["emotion", "certainty", "p_sad", "gender", "speech_start_s"]].isna().all(axis=None)
    assert bad.set_index("file")["duration_s"].dropna().to_dict() == {"b/silence.wav": 1.0}


def test_a_good_file_has_what_predict_says_of_it_alone(table: pd.DataFrame, archive: Path) -> None:
    row = table.set_index("file").loc["a/one.wav"]
    alone = EmotionRecognizer.load().recognize(archive / "a/one.wav")
    assert [row[f"p_{emotion}"] for emotion in EMOTIONS] == pytest.approx(list(alone.probabilities.values()), abs=1e-4)
    assert row["certainty"] == pytest.approx(max(alone.probabilities.values()), abs=1e-4)
    assert (row["emotion"] if alone.sure else alone.emotion) == alone.emotion
    assert (row["speech_start_s"], row["speech_end_s"]) == pytest.approx(alone.speech, abs=0.01)
    assert row["duration_s"] == pytest.approx(speak().size / RATE_HZ, abs=0.01)


def test_the_progress_and_the_count_are_on_standard_error(run: tuple[pd.DataFrame, str]) -> None:
    assert "10/10" in run[1]
    assert run[1].splitlines()[-1].endswith("10 files, 6 could not be judged (see its column error).")


def test_a_folder_in_which_nothing_can_be_judged_ends_with_2(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = make_table([describe_failure("letter.wav", "This is not a recording.")], EMOTIONS)
    monkeypatch.setattr("ser_model.__main__.score_archive", lambda *_: bad)
    assert main(["predict", str(archive), "--out", str(tmp_path / "t.csv")]) == 2


@pytest.mark.slow
def test_a_file_that_ends_its_process_costs_only_its_own_row(tmp_path: Path) -> None:
    names = [f"clip-{number:02d}" for number in range(30)]
    names[3] = names[20] = "crash"
    rows = list(score_files(Crashing(tmp_path), names, workers=2))
    assert [row["file"] for row in rows] == names
    assert [row["error"] for row in rows] == [CRASHED if name == "crash" else None for name in names]


@pytest.mark.parametrize("suffix", sorted(AUDIO_SUFFIXES))
def test_every_container_is_looked_for(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"clip{suffix.upper()}").touch()
    assert list_recordings(tmp_path) == [f"clip{suffix.upper()}"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Add --out TABLE"),
        (["--json"], "Add --out TABLE"),
        (["--out", "table.xls"], "must end in"),
        (["--out", "nowhere/table.csv"], "no folder nowhere"),
        (["--out", "OUT", "--jobs", "0"], "--jobs"),
    ],
)
def test_bad_options_are_refused_before_anything_is_scored(
    options: list[str], message: str, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [str(tmp_path / "out.csv") if option == "OUT" else option for option in options]
    assert main(["predict", str(archive), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_empty_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(tmp_path), "--out", str(tmp_path / "t.csv")]) == 2
    assert "has no recordings" in capsys.readouterr().err
