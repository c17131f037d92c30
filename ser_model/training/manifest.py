"""Clips of other corpora, listed in a CSV file, that join the training clips and are never scored.

The file is UTF-8 text whose first line names its columns, in any order; others may be there and are not read:

    path,emotion,speaker,gender,language
    clips/0001.wav,bored,anna,female,de

path is seen from the manifest's folder; emotion is one of the eight or a new one, in small letters; speaker is any name
that is the same for all clips of a person; gender is male or female; language is an ISO 639 code. How strongly an
emotion is shown is not asked for: these clips teach nothing about intensity.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Dataset, Value

from ser_model.labels import EMOTIONS, GENDERS, UNKNOWN, Gender
from ser_model.training.clips import Clip
from ser_model.training.ravdess import CHANNELS, FEATURES, CorpusError

COLUMNS = ("path", "emotion", "speaker", "gender", "language")
FIRST_SPEAKER = 101  # RAVDESS has the actors 1 to 24
RAVDESS_NAME = re.compile(r"0[1-3](-0\d){5}-\d\d")  # audio or video, speech or song


class ManifestError(CorpusError):
    """A manifest cannot be used; the message names the row and says what to do."""


@dataclass(frozen=True)
class Entry:
    """One row of a manifest, checked."""

    row: int  # as a text editor counts lines; the header is 1
    path: Path
    emotion: str
    speaker: str
    gender: Gender
    language: str


@dataclass(frozen=True)
class Manifest:
    """The rows of a manifest."""

    path: Path
    entries: tuple[Entry, ...]

    @property
    def emotions(self) -> tuple[str, ...]:
        """The label set of a model trained with it: the eight, then the new ones by alphabet."""
        known = [str(emotion) for emotion in EMOTIONS]
        return (*known, *sorted({entry.emotion for entry in self.entries} - set(known)))

    def describe(self) -> dict[str, Any]:
        """Return what metrics.json keeps of it."""
        return {
            "manifest": self.path.name,
            "clips": len(self.entries),
            "speakers": len({entry.speaker for entry in self.entries}),
            "emotions": dict(Counter(entry.emotion for entry in self.entries)),
            "languages": dict(Counter(entry.language for entry in self.entries)),
        }


def read_manifest(path: Path) -> Manifest:
    """Read a manifest and check every row of it.

    Raises:
        ManifestError: It is missing, empty, or a row cannot be used.
    """
    if not path.is_file():
        raise ManifestError(f"{path} does not exist. Give a CSV file with the columns {', '.join(COLUMNS)}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            rows = [(table.line_num, row) for row in table]
            columns = table.fieldnames or ()
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path} is not a CSV file in UTF-8. Save it as one.") from error
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise ManifestError(f"{path} lacks the column {missing[0]}. Its first line must name {', '.join(COLUMNS)}.")
    if not rows:
        raise ManifestError(f"{path} is empty. Give it a line for each clip below its first line.")
    entries = tuple(_check_row(path, number, row) for number, row in rows)
    _check_together(path, entries)
    return Manifest(path, entries)


def load_manifest(manifest: Manifest) -> Dataset:
    """Load its clips with the columns of RAVDESS, undecoded; the intensity is unknown, each speaker has an own number.

    Returns:
        One row a clip; the emotion's classes are those of manifest.emotions.
    """
    features = FEATURES.copy()
    features["emotion"], features["actor"] = ClassLabel(names=list(manifest.emotions)), Value("int32")
    speakers = sorted({entry.speaker for entry in manifest.entries})
    rows = [
        {
            "audio": {"bytes": None, "path": str(entry.path)},
            "file": f"{manifest.path.name}:{entry.row}",
            "emotion": entry.emotion,
            "intensity": UNKNOWN,
            "statement": 0,
            "repetition": 0,
            "actor": FIRST_SPEAKER + speakers.index(entry.speaker),
            "gender": str(entry.gender),
            "channel": CHANNELS[0],
        }
        for entry in manifest.entries
    ]
    changed = [entry.path.stat().st_mtime_ns for entry in manifest.entries]  # so that a new recording is heard anew
    return Dataset.from_generator(_make_rows, features=features, gen_kwargs={"rows": rows, "changed": changed})


def check_apart(extra: Sequence[Clip], corpus: Sequence[Clip]) -> None:
    """Check that no further clip is a copy of one of the corpus, whatever it is called.

    Raises:
        ManifestError: One is; training on it could mean training on what is scored.
    """
    known = {clip.waveform.tobytes(): clip.file for clip in corpus}
    for clip in extra:
        if clip.waveform.tobytes() in known:
            raise ManifestError(
                f"{clip.file} is the recording {known[clip.waveform.tobytes()]} of RAVDESS. Take that row out: "
                "it could be trained on where it is scored."
            )


def _check_row(path: Path, number: int, row: dict[str, str | None]) -> Entry:
    values = {name: (row[name] or "").strip() for name in COLUMNS}

    def refuse(sentence: str) -> ManifestError:
        return ManifestError(f"{path}, row {number}: {sentence}")

    for name, value in values.items():
        if not value:
            raise refuse(f"{name} is empty. Fill it in, or take the row out.")
    clip = path.parent / values["path"]
    if not clip.is_file():
        raise refuse(f"there is no file {clip}. Correct the path, which is seen from the manifest's folder.")
    if RAVDESS_NAME.fullmatch(clip.stem):
        raise refuse(f"{clip.name} is a clip of RAVDESS by its name. Give RAVDESS with --data, and take the row out.")
    if values["gender"] not in GENDERS:
        raise refuse(f"unknown gender {values['gender']!r}. Write {' or '.join(GENDERS)}.")
    if not re.fullmatch(r"[a-z]+([ _-][a-z]+)*", values["emotion"]):
        raise refuse(f"the emotion {values['emotion']!r} must be a name in small letters, such as happy or bored.")
    if not re.fullmatch(r"[a-z]{2,3}", values["language"]):
        raise refuse(f"unknown language {values['language']!r}. Write its ISO 639 code, such as en.")
    return Entry(number, clip, values["emotion"], values["speaker"], Gender(values["gender"]), values["language"])


def _check_together(path: Path, entries: Sequence[Entry]) -> None:
    rows: dict[Path, int] = {}
    genders: dict[str, Entry] = {}
    for entry in entries:
        first = rows.setdefault(entry.path.resolve(), entry.row)
        if first != entry.row:
            raise ManifestError(f"{path}, row {entry.row}: {entry.path} stands in row {first} too. Take one out.")
        known = genders.setdefault(entry.speaker, entry)
        if known.gender != entry.gender:
            raise ManifestError(
                f"{path}, row {entry.row}: {entry.speaker} is {entry.gender}, but {known.gender} in row {known.row}. "
                "Correct one, or give two people two names."
            )


def _make_rows(rows: list[dict[str, object]], changed: list[int]) -> Iterator[dict[str, object]]:
    for row, _ in zip(rows, changed, strict=True):
        yield row
