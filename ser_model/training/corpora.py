"""Corpora as clips to train on: RAVDESS, and further clips that a CSV file lists.

Each loader returns a datasets.Dataset with the columns of FEATURES. What takes time (decoding, speech detection, Opus
copies) is computed once and kept in the cache of datasets, as are the features of the other models: see cached_map.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import av
import numpy as np
import soxr
import torch
from datasets import Audio, Dataset, Features, List, Value, concatenate_datasets, load_dataset

from ser_model import audio, frontend, vad
from ser_model.audio import AudioError, Waveform, load_audio
from ser_model.frontend import SAMPLE_RATE
from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES, UNKNOWN, Emotion, Gender, Intensity
from ser_model.vad import SpeechDetector, SpeechSpan

RAVDESS, HUB_COPY = "ravdess", "xbgoose/ravdess"
CHANNELS = ("speech", "song")
SUFFIXES = {".wav", ".flac"}
ACTORS = range(1, 25)
CLIPS_PER_ACTOR = {emotion: 4 if emotion is Emotion.NEUTRAL else 8 for emotion in EMOTIONS}  # of speech
MAX_NAMED = 6  # gaps that an error names

COLUMNS = ("path", "emotion", "speaker", "gender", "language")  # of a manifest
FIRST_SPEAKER = 101  # number of a manifest's first speaker; RAVDESS has 1 to 24

FEATURES = Features(
    {
        "audio": {"bytes": Value("binary"), "path": Value("string")},
        "file": Value("string"),
        "corpus": Value("string"),
        "emotion": Value("string"),
        "intensity": Value("string"),  # empty if unknown
        "gender": Value("string"),
        "actor": Value("int32"),
        "is_song": Value("bool"),
    }
)

OPUS_BIT_RATES = (16_000, 24_000, 32_000)  # of browsers' recorders
CONTEXT_S = 0.25  # kept on both sides of the speech, so that augmentation can move its ends
BATCH = 150  # clips that a process prepares at a time
PROCESSES = 2


class CorpusError(ValueError):
    """A corpus is missing, incomplete or damaged. The message says what to do."""


@dataclass(frozen=True)
class Clip:
    """One recording with its labels.

    Attributes:
        file: A name that no other clip has.
        waveform: (time,) the speech with CONTEXT_S around it, at SAMPLE_RATE.
        span: First and last sample of the speech.
        emotion: Class index, as are gender and intensity.
        gender: 0 or 1.
        intensity: 0 or 1, or UNKNOWN.
        actor: Number of the speaker.
        is_song: Whether it is sung; songs are trained on and never scored.
        opus_waveform: The waveform as an Opus codec returns it, to train on; None for clips that are only scored.
        corpus: Where it comes from.
    """

    file: str
    waveform: Waveform
    span: tuple[int, int]
    emotion: int
    gender: int
    intensity: int
    actor: int
    is_song: bool
    opus_waveform: Waveform | None = None
    corpus: str = RAVDESS

    @property
    def speech(self) -> Waveform:
        """The samples of the speech span, (time,)."""
        return self.waveform[slice(*self.span)]


@dataclass(frozen=True)
class Corpus:
    """Everything a training run may use.

    Attributes:
        clips: RAVDESS, which the protocols split.
        extra: Clips of a manifest, which join the training part of every fold and are never scored.
        emotions: The classes; the eight of RAVDESS come first.
        about: A summary of the manifest for metrics.json; None without one.
        table: The rows behind clips and extra, from prepare.
    """

    clips: list[Clip]
    extra: list[Clip]
    emotions: tuple[str, ...]
    about: dict[str, Any] | None
    table: Dataset


def read_corpus(
    source: str | Path, manifest: Path | None = None, allow_missing: bool = False, with_opus: bool = False
) -> Corpus:
    """Load RAVDESS, and the clips of a manifest if there is one.

    Args:
        source: See load_ravdess.
        manifest: See load_manifest.
        allow_missing: Accept an incomplete RAVDESS.
        with_opus: See prepare.

    Raises:
        CorpusError: Something is missing, or a row of the manifest cannot be used.
        AudioError: A clip is damaged.
    """
    further = None if manifest is None else load_manifest(manifest)
    ravdess = load_ravdess(source)
    if not allow_missing:
        check_complete(ravdess)
    table, about, emotions = prepare(ravdess, with_opus), None, tuple(map(str, EMOTIONS))
    if further is not None and manifest is not None:
        counts = {f"{name}s": dict(Counter(further[name])) for name in ("emotion", "language")}
        about = {"manifest": manifest.name, "clips": len(further), "speakers": len(set(further["actor"])), **counts}
        emotions += tuple(sorted(set(counts["emotions"]) - set(emotions)))
        table = concatenate_datasets([table, prepare(further.remove_columns("language"), with_opus)])
    clips = make_clips(table, emotions)
    own, extra = ([clip for clip in clips if (clip.corpus == RAVDESS) is wanted] for wanted in (True, False))
    _check_distinct(extra, own)
    return Corpus(own, extra, emotions, about, table)


def load_ravdess(source: str | Path, channels: Sequence[str] = CHANNELS) -> Dataset:
    """Load RAVDESS (Livingstone & Russo 2018) from file names; nothing is decoded.

    Args:
        source: A folder with clips or with the zip files of Zenodo, one of these files, or a copy on the Hub.
        channels: Speech, song or both.

    Raises:
        CorpusError: There are no clips.
    """
    path = Path(source)
    if not path.exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
        return load_hub_copy(str(source), channels)
    if not path.exists():
        raise CorpusError(f"{path} does not exist. Give the folder of RAVDESS, or {HUB_COPY} for the copy on the Hub.")
    places = {place.stem: str(place) for place in sorted(path.rglob("03-*")) if place.suffix.lower() in SUFFIXES}
    rows = [_ravdess_labels(file) | {"path": place} for file, place in sorted((places or _list_zips(path)).items())]
    rows = [row for row in rows if CHANNELS[row["is_song"]] in channels]
    if not rows:
        raise CorpusError(
            f"{path} has no {' or '.join(channels)} clips of RAVDESS. Get Audio_Speech_Actors_01-24.zip from "
            "zenodo.org/records/1188976."
        )
    return _make_dataset(rows)


def load_hub_copy(name: str, channels: Sequence[str] = CHANNELS) -> Dataset:
    """Load a copy on the Hub whose audio has the file names of RAVDESS."""
    copy = load_dataset(name, split="train").cast_column("audio", Audio(decode=False)).select_columns(["audio"])
    table = copy.map(lambda row: {**row, **_ravdess_labels(row["audio"]["path"])}, features=FEATURES)
    wanted = [CHANNELS.index(channel) for channel in channels]
    return table.filter(lambda is_song: is_song in wanted, input_columns="is_song").sort("file")


def load_manifest(path: Path) -> Dataset:
    """Load the clips that a CSV file in UTF-8 lists; nothing is decoded.

    The first line names the columns, in any order; others are ignored:

        path,emotion,speaker,gender,language
        clips/0001.wav,bored,anna,female,de

    A path starts at the manifest's folder. The emotion is one of the eight or a new one, in small letters. A speaker
    has the same name in all of their clips. The gender is male or female, the language an ISO 639 code. The intensity
    is unknown.

    Returns:
        The columns of FEATURES, and language.

    Raises:
        CorpusError: The file or a row cannot be used. The message names the row.
    """
    if not path.is_file():
        raise CorpusError(f"{path} does not exist. Give a CSV file with the columns {', '.join(COLUMNS)}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            lines = [(reader.line_num, {name: (row.get(name) or "").strip() for name in COLUMNS}) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} is not a CSV file in UTF-8. Save it as one.") from error
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise CorpusError(f"{path} lacks the column {missing[0]}. Its first line must name {', '.join(COLUMNS)}.")
    if not lines:
        raise CorpusError(f"{path} is empty. Add a line for each clip.")
    speakers = sorted({row["speaker"] for _, row in lines})
    rows, seen, genders = [], dict[Path, int](), dict[str, tuple[str, int]]()
    for number, row in lines:
        clip = path.parent / row["path"]
        first = seen.setdefault(clip.resolve(), number)
        gender, named = genders.setdefault(row["speaker"], (row["gender"], number))
        problem = _find_problem(row, clip)
        if not problem and first != number:
            problem = f"{clip} is listed in row {first}, too. Remove one of them."
        if not problem and gender != row["gender"]:
            problem = f"{row['speaker']} is {row['gender']} here and {gender} in row {named}. Correct one of them."
        if problem:
            raise CorpusError(f"{path}, row {number}: {problem}")
        labels = {name: row[name] for name in ("emotion", "gender", "language")}
        labels |= {"file": f"{path.name}:{number}", "corpus": path.name, "intensity": ""}
        actor = FIRST_SPEAKER + speakers.index(row["speaker"])
        rows.append({**labels, "actor": actor, "is_song": False, "path": str(clip)})
    return _make_dataset(rows, Features({**FEATURES, "language": Value("string")}))


def check_complete(ravdess: Dataset) -> None:
    """Check that the speech of all 24 actors is there: 4 neutral clips each and 8 of each other emotion.

    Raises:
        CorpusError: It names the gaps.
    """
    rows = zip(ravdess["actor"], ravdess["emotion"], ravdess["is_song"], strict=True)
    have = Counter((actor, emotion) for actor, emotion, is_song in rows if not is_song)
    gaps = [
        f"actor {actor:02d} {emotion}: {have[actor, emotion]} of {wanted}"
        for actor in ACTORS
        for emotion, wanted in CLIPS_PER_ACTOR.items()
        if have[actor, emotion] != wanted
    ]
    if gaps:
        more = f" and {len(gaps) - MAX_NAMED} more" if len(gaps) > MAX_NAMED else ""
        raise CorpusError(
            f"RAVDESS has {have.total()} of 1440 speech clips. Missing: {'; '.join(gaps[:MAX_NAMED])}{more}."
        )


def prepare(table: Dataset, with_opus: bool = False) -> Dataset:
    """Decode every clip and find its speech.

    Args:
        table: From a loader.
        with_opus: Add a copy of each clip that went through Opus, to train on.

    Returns:
        The table with the columns waveform, span and, if asked for, opus_waveform in place of audio.

    Raises:
        AudioError: A clip is damaged. The message names it.
    """
    code = (audio, frontend, vad)
    columns = {"waveform": List(Value("float32")), "span": List(Value("int64"))}
    table = cached_map(table, _find_speech, columns, "Finding speech", code, drop=["audio"])
    if with_opus:
        table = cached_map(table, _add_opus, {"opus_waveform": List(Value("float32"))}, "Encoding with Opus", code)
    return table


def cached_map(
    table: Dataset,
    function: Callable[..., dict[str, Any]],
    columns: dict[str, Any],
    description: str,
    code: Sequence[ModuleType] = (),
    processes: int = PROCESSES,
    drop: Sequence[str] = (),
    **settings: Any,
) -> Dataset:
    """Add columns to a table, or read them from the cache if the same code did so before.

    Args:
        table: The rows.
        function: Maps a row and the settings to the new columns; defined at the top of a module.
        columns: The types of the new columns.
        description: For the progress bar.
        code: Modules whose change makes the cached values invalid, besides the function's own.
        processes: How many to use for more than BATCH rows.
        drop: Columns to leave out.
        settings: What the result depends on, too.
    """
    files = [function.__code__.co_filename, *(str(module.__file__) for module in code)]
    digest = hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()
    kept = {name: kind for name, kind in table.features.items() if name not in drop}
    return table.map(
        _drop_digest,
        fn_kwargs={"function": function, "digest": digest, "settings": settings},
        features=Features({**kept, **columns}),
        remove_columns=list(drop),
        writer_batch_size=BATCH,
        num_proc=processes if processes > 1 and len(table) > BATCH else None,
        desc=description,
    )


def _drop_digest(
    row: dict[str, Any], function: Callable[..., dict[str, Any]], digest: str, settings: dict[str, Any]
) -> dict[str, Any]:
    del digest  # it only names the cached result
    return function(row, **settings)


def make_clips(table: Dataset, emotions: Sequence[str] = EMOTIONS) -> list[Clip]:
    """Make clips of the rows from prepare."""
    return [
        Clip(
            file=row["file"],
            waveform=np.asarray(row["waveform"], np.float32),
            span=(int(row["span"][0]), int(row["span"][1])),
            emotion=emotions.index(row["emotion"]),
            gender=GENDERS.index(Gender(row["gender"])),
            intensity=INTENSITIES.index(Intensity(row["intensity"])) if row["intensity"] else UNKNOWN,
            actor=int(row["actor"]),
            is_song=bool(row["is_song"]),
            opus_waveform=np.asarray(row["opus_waveform"], np.float32) if "opus_waveform" in row else None,
            corpus=row["corpus"],
        )
        for row in table.with_format("numpy")
    ]


def list_speech(clips: Sequence[Clip]) -> list[Clip]:
    """Leave out the songs."""
    return [clip for clip in clips if not clip.is_song]


def shuffle_labels(clips: list[Clip], seed: int = 0) -> list[Clip]:
    """Shuffle the emotions among the speech clips, and among the songs.

    A model trained and scored on them is right by chance only, unless a scored clip or a copy of it was trained on.
    """
    rng = np.random.default_rng(seed)
    emotions = np.array([clip.emotion for clip in clips])
    for song in (False, True):
        rows = np.flatnonzero([clip.is_song == song for clip in clips])
        emotions[rows] = emotions[rng.permutation(rows)]
    return [replace(clip, emotion=int(emotion)) for clip, emotion in zip(clips, emotions, strict=True)]


def fingerprint_clips(clips: Sequence[Clip]) -> str:
    """Return a name for clips and their labels that changes with them."""
    digest = hashlib.sha256()
    for clip in clips:
        opus = "" if clip.opus_waveform is None else f" coded {OPUS_BIT_RATES}"
        digest.update(f"{clip.file} {clip.span} {clip.emotion} {clip.gender} {clip.intensity}{opus}\n".encode())
    return f"{len(clips)}-{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class ClipName:
    """The parts of a RAVDESS file name: modality-channel-emotion-intensity-statement-repetition-actor."""

    channel: str
    emotion: Emotion
    intensity: Intensity
    statement: int
    repetition: int
    actor: int

    @classmethod
    def parse(cls, file: str) -> ClipName:
        """Read a name such as 03-01-06-01-02-01-12.wav.

        Raises:
            CorpusError: It is not the name of an audio-only RAVDESS clip.
        """
        pattern = r"03-0([12])-0([1-8])-0([12])-0([12])-0([12])-(0[1-9]|1\d|2[0-4])"
        match = re.fullmatch(pattern, PurePosixPath(file).stem)
        if not match:
            raise CorpusError(f"{file} is not named as RAVDESS names its audio-only clips (03-01-06-01-02-01-12.wav).")
        channel, emotion, intensity, *rest = (int(part) for part in match.groups())
        return cls(CHANNELS[channel - 1], EMOTIONS[emotion - 1], INTENSITIES[intensity - 1], *rest)


@dataclass(frozen=True)
class Codec:
    """A lossy codec in its container, by FFmpeg's names."""

    encoder: str
    container: str
    bit_rate: int
    rate_hz: int = 48_000

    def __call__(self, waveform: np.ndarray) -> bytes:
        """Encode (time,) samples at SAMPLE_RATE; what exceeds full scale is clipped."""
        samples = soxr.resample(np.clip(waveform, -1, 1).astype(np.float32), SAMPLE_RATE, self.rate_hz)
        file = io.BytesIO()
        with av.open(file, "w", format=self.container) as output:
            stream = output.add_stream(self.encoder, rate=self.rate_hz)
            assert isinstance(stream, av.AudioStream)
            context = stream.codec_context
            context.layout, context.bit_rate = "mono", self.bit_rate
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis]), "fltp", "mono")
            frame.sample_rate = self.rate_hz
            resampler = av.AudioResampler(context.format, "mono", self.rate_hz, context.frame_size)
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                output.mux(stream.encode(part))
        return file.getvalue()


def _ravdess_labels(file: str) -> dict[str, Any]:
    name = ClipName.parse(file)
    return {
        "file": PurePosixPath(file).stem,
        "corpus": RAVDESS,
        "emotion": str(name.emotion),
        "intensity": str(name.intensity),
        "gender": str(Gender.MALE if name.actor % 2 else Gender.FEMALE),
        "actor": name.actor,
        "is_song": name.channel == "song",
    }


def _list_zips(path: Path) -> dict[str, str]:
    """Find clips in zip files; their place is written ZIP::MEMBER."""
    places: dict[str, str] = {}
    for archive in [path] if path.is_file() else sorted(path.glob("*.zip")):
        if not zipfile.is_zipfile(archive):
            raise CorpusError(f"{archive} is not a zip file, or its download was interrupted. Fetch it again.")
        with zipfile.ZipFile(archive) as opened:
            members = [name for name in opened.namelist() if PurePosixPath(name).suffix.lower() in SUFFIXES]
        places |= {PurePosixPath(name).stem: f"{archive}::{name}" for name in members if "/._" not in name}
    return places


def _make_dataset(rows: list[dict[str, Any]], features: Features = FEATURES) -> Dataset:
    """Make a dataset of rows with a path each; a file that changes makes a new one."""
    changed = [Path(row["path"].partition("::")[0]).stat().st_mtime_ns for row in rows]
    return Dataset.from_generator(_yield_rows, features=features, gen_kwargs={"rows": rows, "changed": changed})


def _yield_rows(rows: list[dict[str, Any]], changed: list[int]) -> Iterator[dict[str, Any]]:
    archives: dict[str, zipfile.ZipFile] = {}
    for row, _ in zip(rows, changed, strict=True):
        labels = {name: value for name, value in row.items() if name != "path"}
        place, _, member = row["path"].partition("::")
        if member and place not in archives:
            archives[place] = zipfile.ZipFile(place)
        data = archives[place].read(member) if member else None
        yield {"audio": {"bytes": data, "path": member or place}, **labels}


def _find_problem(row: dict[str, str], clip: Path) -> str | None:
    """Return what is wrong with a row of a manifest, and what to do."""
    empty = [name for name in COLUMNS if not row[name]]
    emotion, gender, language = row["emotion"], row["gender"], row["language"]
    problems = {
        f"{''.join(empty[:1])} is empty. Fill it in, or remove the row.": bool(empty),
        f"there is no file {clip}. Correct the path, which starts at the manifest's folder.": not clip.is_file(),
        f"{clip.name} is a clip of RAVDESS by its name. Give RAVDESS with --data, and remove the row.": (
            re.fullmatch(r"0[1-3](-0\d){5}-\d\d", clip.stem)
        ),
        f"unknown gender {gender!r}. Write {' or '.join(GENDERS)}.": gender not in GENDERS,
        f"the emotion {emotion!r} must be a name in small letters, such as happy or bored.": (
            not re.fullmatch(r"[a-z]+([ _-][a-z]+)*", emotion)
        ),
        f"unknown language {language!r}. Write its ISO 639 code, such as en.": not re.fullmatch(
            r"[a-z]{2,3}", language
        ),
    }
    return next((problem for problem, holds in problems.items() if holds), None)


def _check_distinct(extra: list[Clip], clips: list[Clip]) -> None:
    """Refuse a copy of a RAVDESS clip under another name: it could be trained on where it is scored."""
    known = {clip.waveform.tobytes(): clip.file for clip in clips} if extra else {}
    for clip in extra:
        if clip.waveform.tobytes() in known:
            raise CorpusError(
                f"{clip.file} is the recording {known[clip.waveform.tobytes()]} of RAVDESS. Remove that row."
            )


@lru_cache(maxsize=1)
def _load_detector() -> SpeechDetector:
    return SpeechDetector()


def _find_speech(row: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(1)
    try:
        waveform = load_audio(row["audio"]["bytes"] or row["audio"]["path"])
    except AudioError as error:
        raise type(error)(f"{row['file']}: {error}") from error
    try:
        span = _load_detector().detect(waveform)
    except AudioError:  # a clip without detected speech has a label, too: all of it is used
        span = SpeechSpan(0.0, waveform.size / SAMPLE_RATE, 0.0)
    first = max(round((span.start_s - CONTEXT_S) * SAMPLE_RATE), 0)
    return {
        "waveform": waveform[first : round((span.end_s + CONTEXT_S) * SAMPLE_RATE)],
        "span": [round(edge * SAMPLE_RATE) - first for edge in (span.start_s, span.end_s)],
    }


def _add_opus(row: dict[str, Any]) -> dict[str, Any]:
    """Encode a clip at one of OPUS_BIT_RATES, which its name decides, and decode it again at the same length."""
    waveform = np.asarray(row["waveform"], np.float32)
    bit_rate = OPUS_BIT_RATES[zlib.crc32(row["file"].encode()) % len(OPUS_BIT_RATES)]
    opus = load_audio(Codec("libopus", "webm", bit_rate)(waveform))[: waveform.size]
    return {"opus_waveform": np.pad(opus, (0, waveform.size - opus.size))}
