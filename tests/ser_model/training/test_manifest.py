from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile as sf
from voice import RATE_HZ, speak

from ser_model.labels import EMOTIONS, UNKNOWN
from ser_model.training.clips import prepare_clips
from ser_model.training.corpus import read_corpus
from ser_model.training.manifest import ManifestError, load_manifest, read_manifest

HEADER = "path,emotion,speaker,gender,language"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a manifest beside two clips."""
    for number, vowels in enumerate(("aeia", "ouou")):
        sf.write(tmp_path / f"{number}.wav", speak(vowels), RATE_HZ)

    def write_rows(*rows: str, header: str = HEADER) -> Path:
        (tmp_path / "more.csv").write_text("\n".join([header, *rows]) + "\n")
        return tmp_path / "more.csv"

    return write_rows


def test_new_emotions_come_behind_the_eight(write: Write) -> None:
    manifest = read_manifest(write("0.wav,sad,anna,female,de", "1.wav,bored,ben,male,en"))
    assert manifest.emotions == (*EMOTIONS, "bored")
    assert manifest.describe()["languages"] == {"de": 1, "en": 1}
    clips = prepare_clips(load_manifest(manifest))
    assert [clip.emotion for clip in clips] == [3, 8]
    assert [clip.gender for clip in clips] == [1, 0]
    assert [clip.actor for clip in clips] == [101, 102]
    assert {clip.intensity for clip in clips} == {UNKNOWN}
    assert not any(clip.is_song for clip in clips)


def test_columns_may_stand_in_any_order_with_others_between(write: Write) -> None:
    path = write("en,note,male,ben,happy,1.wav", header="language,remark,gender,speaker,emotion,path")
    assert read_manifest(path).entries[0].emotion == "happy"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2.wav,sad,anna,female,de", r"row 3: there is no file .*2.wav. Correct the path"),
        ("1.wav,sad,anna,woman,de", r"row 3: unknown gender 'woman'. Write male or female"),
        ("1.wav,,anna,female,de", r"row 3: emotion is empty. Fill it in"),
        ("1.wav,sad,anna", r"row 3: gender is empty"),
        ("1.wav,Sad,anna,female,de", r"row 3: the emotion 'Sad' must be a name in small letters"),
        ("1.wav,sad,anna,female,German", r"row 3: unknown language 'German'. Write its ISO 639 code"),
        ("0.wav,sad,anna,female,de", r"row 3: .*0.wav stands in row 2 too"),
        ("1.wav,sad,ben,female,de", r"row 3: ben is female, but male in row 2"),
    ],
)
def test_a_bad_row_is_named_with_the_remedy(write: Write, row: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read_manifest(write("0.wav,bored,ben,male,en", row))


def test_a_manifest_without_a_column_or_without_rows_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="lacks the column speaker"):
        read_manifest(write("0.wav,sad", header="path,emotion"))
    with pytest.raises(ManifestError, match=r"is empty\. Give it a line"):
        read_manifest(write())
    with pytest.raises(ManifestError, match=r"does not exist\. Give a CSV file"):
        read_manifest(tmp_path / "none.csv")


def test_clips_of_ravdess_are_refused_by_name_and_by_sound(corpus_folder: Path, write: Write, tmp_path: Path) -> None:
    original = next(corpus_folder.rglob("*.wav"))
    (tmp_path / original.name).write_bytes(original.read_bytes())
    with pytest.raises(ManifestError, match=r"row 2: .* is a clip of RAVDESS by its name"):
        read_manifest(write(f"{original.name},sad,anna,female,en"))
    (tmp_path / "renamed.wav").write_bytes(original.read_bytes())
    with pytest.raises(ManifestError, match=f"more.csv:2 is the recording {original.stem} of RAVDESS"):
        read_corpus(corpus_folder, write("renamed.wav,sad,anna,female,en"), allow_missing=True)


def test_a_damaged_clip_is_named_by_its_row(write: Write, tmp_path: Path) -> None:
    (tmp_path / "1.wav").write_text("dear reader")
    with pytest.raises(ValueError, match=r"more\.csv:3: "):
        prepare_clips(load_manifest(read_manifest(write("0.wav,sad,anna,female,de", "1.wav,sad,anna,female,de"))))
