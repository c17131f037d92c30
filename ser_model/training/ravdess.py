"""RAVDESS (Livingstone & Russo 2018) as a datasets.Dataset, from a folder, the Zenodo zip files or the Hub copy."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from datasets import Audio, ClassLabel, Dataset, Features, Value, load_dataset

from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES, Emotion, Gender, Intensity

HUB_COPY = "xbgoose/ravdess"
CHANNELS = ("speech", "song")
SPEECH_CLIPS_PER_ACTOR = {emotion: 4 if emotion is Emotion.NEUTRAL else 8 for emotion in EMOTIONS}
SUFFIXES = {".wav", ".flac"}
NAMED = 6  # gaps that an error names
FEATURES = Features(
    {
        "audio": {"bytes": Value("binary"), "path": Value("string")},
        "file": Value("string"),
        "emotion": ClassLabel(names=[str(name) for name in EMOTIONS]),
        "intensity": ClassLabel(names=[str(name) for name in INTENSITIES]),
        "statement": Value("int8"),
        "repetition": Value("int8"),
        "actor": Value("int8"),
        "gender": ClassLabel(names=[str(name) for name in GENDERS]),
        "channel": ClassLabel(names=list(CHANNELS)),
    }
)


class CorpusError(ValueError):
    """The corpus is not there or not whole; the message says what is missing and where to get it."""


@dataclass(frozen=True)
class ClipName:
    """What a RAVDESS file name says: modality-channel-emotion-intensity-statement-repetition-actor."""

    channel: str
    emotion: Emotion
    intensity: Intensity
    statement: int
    repetition: int
    actor: int

    @property
    def gender(self) -> Gender:
        """Odd actors are male, even ones female."""
        return Gender.MALE if self.actor % 2 else Gender.FEMALE

    @classmethod
    def parse(cls, file: str) -> ClipName:
        """Read a name such as 03-01-06-01-02-01-12.wav.

        Raises:
            CorpusError: It is not a RAVDESS audio-only name.
        """
        match = re.fullmatch(
            r"03-0([12])-0([1-8])-0([12])-0([12])-0([12])-(0[1-9]|1\d|2[0-4])", PurePosixPath(file).stem
        )
        if not match:
            raise CorpusError(f"{file} is not named as RAVDESS names its audio-only clips (03-01-06-01-02-01-12.wav).")
        channel, emotion, intensity, statement, repetition, actor = (int(part) for part in match.groups())
        return cls(
            CHANNELS[channel - 1],
            EMOTIONS[emotion - 1],
            INTENSITIES[intensity - 1],
            statement,
            repetition,
            actor,
        )


def load_ravdess(source: str | Path, channels: tuple[str, ...] = CHANNELS) -> Dataset:
    """Load the corpus.

    Args:
        source: A folder with clips in RAVDESS naming (WAV or FLAC, at any depth) or with the Zenodo zip files in
            it, one such zip file, or the name of a Hub copy such as "xbgoose/ravdess". A clip found twice counts once.
        channels: "speech", "song" or both.

    Returns:
        One row a clip, sorted by file name, with the columns of FEATURES; audio is kept undecoded.

    Raises:
        CorpusError: There is nothing there.
    """
    path = Path(source)
    if path.is_dir() or path.is_file():
        rows = _list_files(path) or _list_zips(path)
        if not rows:
            raise CorpusError(
                f"{path} has no RAVDESS clips. Get Audio_Speech_Actors_01-24.zip from zenodo.org/records/1188976."
            )
        rows = {file: place for file, place in rows.items() if ClipName.parse(file).channel in channels}
        if not rows:
            raise CorpusError(f"{path} has no {' or '.join(channels)} clips of RAVDESS.")
        places = sorted(rows.items())
        changed = [Path(place.partition("::")[0]).stat().st_mtime_ns for _, place in places]  # a new one is heard anew
        return Dataset.from_generator(_make_rows, features=FEATURES, gen_kwargs={"places": places, "changed": changed})
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
        return load_hub_copy(str(source), channels)
    raise CorpusError(f"{path} does not exist. Give the folder with the RAVDESS clips, or {HUB_COPY} for the Hub copy.")


def load_hub_copy(name: str, channels: tuple[str, ...] = CHANNELS, **options: str) -> Dataset:
    """Load a copy on the Hub whose audio keeps RAVDESS file names; options go to datasets.load_dataset."""
    copy = load_dataset(name, split="train", **options).cast_column("audio", Audio(decode=False))
    named = copy.select_columns(["audio"]).map(
        lambda row: {"audio": row["audio"], **_label(row["audio"]["path"])}, features=FEATURES
    )
    wanted = [CHANNELS.index(channel) for channel in channels]
    return named.filter(lambda channel: channel in wanted, input_columns="channel").sort("file")


def check_counts(dataset: Dataset) -> None:
    """Check that the speech part is whole: 24 actors x 60 clips, 96 neutral and 192 of each other emotion.

    Raises:
        CorpusError: It names the actors and emotions that lack clips.
    """
    speech = [ClipName.parse(file) for file in dataset["file"]]
    have = Counter((clip.actor, clip.emotion) for clip in speech if clip.channel == "speech")
    missing = [
        f"actor {actor:02d} {emotion}: {have[actor, emotion]} of {wanted}"
        for actor in range(1, 25)
        for emotion, wanted in SPEECH_CLIPS_PER_ACTOR.items()
        if have[actor, emotion] != wanted
    ]
    if missing:
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise CorpusError(
            f"RAVDESS speech has {have.total()} of 1440 clips. Lacking: {'; '.join(missing[:NAMED])}{more}."
        )


def _list_files(path: Path) -> dict[str, str]:
    files = sorted(file for file in path.rglob("03-*") if file.suffix.lower() in SUFFIXES)
    return {file.stem: str(file) for file in files}


def _list_zips(path: Path) -> dict[str, str]:
    """Find clips inside zip files; a place inside one is written ZIP::MEMBER."""
    places: dict[str, str] = {}
    for archive in [path] if path.is_file() else sorted(path.glob("*.zip")):
        if not zipfile.is_zipfile(archive):
            raise CorpusError(f"{archive} is not a zip file, or its download was cut off. Fetch it again.")
        with zipfile.ZipFile(archive) as opened:
            members = [name for name in opened.namelist() if PurePosixPath(name).suffix.lower() in SUFFIXES]
        places |= {PurePosixPath(name).stem: f"{archive}::{name}" for name in members if "/._" not in name}
    return places


def _make_rows(places: list[tuple[str, str]], changed: list[int]) -> Iterator[dict[str, object]]:
    archives: dict[str, zipfile.ZipFile] = {}
    for (file, place), _ in zip(places, changed, strict=True):
        if "::" in place:
            archive, member = place.split("::")
            opened = archives.setdefault(archive, zipfile.ZipFile(archive))
            audio: dict[str, object] = {"bytes": opened.read(member), "path": member}
        else:
            audio = {"bytes": None, "path": place}
        yield {"audio": audio, **_label(file)}


def _label(file: str) -> dict[str, object]:
    clip = ClipName.parse(file)
    return {
        "file": PurePosixPath(file).stem,
        "emotion": clip.emotion.class_index,
        "intensity": clip.intensity.class_index,
        "statement": clip.statement,
        "repetition": clip.repetition,
        "actor": clip.actor,
        "gender": clip.gender.class_index,
        "channel": CHANNELS.index(clip.channel),
    }
