from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from datasets import Audio, Dataset, Value
from hypothesis import given
from hypothesis import strategies as st
from voice import RATE_HZ, speak

from ser_model.labels import EMOTIONS, UNKNOWN
from ser_model.training.corpora import (
    Clip,
    ClipName,
    CorpusError,
    cached_map,
    check_complete,
    fingerprint_clips,
    load_hub_copy,
    load_manifest,
    load_ravdess,
    make_clips,
    prepare,
    read_corpus,
    shuffle_labels,
)

HEADER = "path,emotion,speaker,gender,language"
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def clips(corpus_folder: Path) -> list[Clip]:
    return read_corpus(corpus_folder, allow_missing=True, with_opus=True).clips


@given(st.tuples(*(st.integers(1, highest) for highest in (2, 8, 2, 2, 2, 24))))
def test_every_name_is_read_back(parts: tuple[int, ...]) -> None:
    name = ClipName.parse(f"some/folder/03-{'-'.join(f'{part:02d}' for part in parts)}.wav")
    assert name.channel == ("speech", "song")[parts[0] - 1]
    assert name.emotion is EMOTIONS[parts[1] - 1]
    assert (name.statement, name.repetition, name.actor) == parts[3:]


def test_a_folder_becomes_a_table_with_every_label(corpus_folder: Path) -> None:
    corpus = load_ravdess(corpus_folder)
    assert len(corpus) == 6 * 8
    assert Counter(corpus["actor"]) == dict.fromkeys((2, 3, 5, 6, 9, 10), 8)
    assert set(corpus["emotion"]) == set(EMOTIONS)
    assert Counter(corpus["gender"]) == {"male": 24, "female": 24}
    with pytest.raises(CorpusError, match="no song clips"):
        load_ravdess(corpus_folder, ("song",))


def test_zip_files_give_the_same_rows_as_the_folder(corpus_folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "Audio_Speech_Actors_01-24.zip", "w") as archive:
        for path in sorted(corpus_folder.rglob("*.wav")):
            archive.write(path, f"{path.parent.name}/{path.name}")
    folder, zipped = load_ravdess(corpus_folder), load_ravdess(tmp_path)
    assert zipped["file"][:] == folder["file"][:]
    assert zipped[5]["audio"]["bytes"] == Path(folder[5]["audio"]["path"]).read_bytes()
    assert load_ravdess(tmp_path / "Audio_Speech_Actors_01-24.zip")["emotion"][:] == folder["emotion"][:]


def test_a_hub_copy_gives_the_same_labels(corpus_folder: Path, tmp_path: Path) -> None:
    paths = sorted(str(path) for path in corpus_folder.rglob("*.wav"))
    copy = Dataset.from_dict({"audio": paths, "emotion": ["?"] * len(paths)}).cast_column("audio", Audio(decode=False))
    copy.to_parquet(tmp_path / "data" / "train-00000-of-00001.parquet")
    got, want = load_hub_copy(str(tmp_path)), load_ravdess(corpus_folder)
    assert got["file"][:] == want["file"][:]
    assert got["emotion"][:] == want["emotion"][:]
    assert got.features == want.features


def test_what_is_missing_is_named(corpus_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"48 of 1440.*actor 01 neutral: 0 of 4.* more"):
        check_complete(load_ravdess(corpus_folder))
    for source in ("nowhere", "nowhere/at/all", "/nowhere"):
        with pytest.raises(CorpusError, match="does not exist"):
            load_ravdess(source)
    with pytest.raises(CorpusError, match="zenodo"):
        load_ravdess(tmp_path)
    (tmp_path / "Audio.zip").write_bytes(b"PK cut off")
    with pytest.raises(CorpusError, match="Fetch it again"):
        load_ravdess(tmp_path)


def test_the_real_corpus_is_complete(shared: Path) -> None:
    corpus = load_ravdess(shared / "data/ravdess")
    check_complete(corpus)
    assert Counter(corpus["is_song"]) == {False: 1440, True: 1012}


def test_spans_are_inside_their_clips(clips: list[Clip]) -> None:
    assert len(clips) == 48
    for clip in clips:
        assert 0 <= clip.span[0] < clip.span[1] <= clip.waveform.size
        assert 0.5 < clip.speech.size / RATE_HZ <= 1.8  # all of it where the detector doubts a synthetic voice


def test_an_opus_copy_says_the_same_at_the_same_time(clips: list[Clip]) -> None:
    for clip in clips:
        assert clip.opus_waveform is not None
        assert clip.opus_waveform.shape == clip.waveform.shape
    for clip in clips[:12]:
        shifts = range(-32, 33)
        likeness = [np.dot(np.roll(clip.opus_waveform, shift), clip.waveform) for shift in shifts]
        assert abs(shifts[int(np.argmax(likeness))]) <= 16  # within a millisecond
        assert 0.5 < max(likeness) / np.sum(clip.waveform**2) < 1.5
        assert not np.allclose(clip.opus_waveform, clip.waveform, atol=1e-3)


def test_the_fingerprint_changes_with_labels_and_opus_copies(clips: list[Clip]) -> None:
    plain = [replace(clip, opus_waveform=None) for clip in clips]
    assert len({fingerprint_clips(one) for one in (clips, plain, clips[1:], shuffle_labels(clips))}) == 4
    assert fingerprint_clips(clips) == fingerprint_clips([replace(clip) for clip in clips])


def test_shuffling_keeps_the_emotions_of_speech_and_of_songs() -> None:
    sound = np.zeros(4, np.float32)
    clips = [Clip(str(i), sound, (0, 4), i % 8, 0, 0, 1, is_song=i % 5 > 2) for i in range(400)]
    shuffled = shuffle_labels(clips)
    assert [clip.file for clip in shuffled] == [clip.file for clip in clips]
    for song in (False, True):
        before, after = ([clip.emotion for clip in part if clip.is_song == song] for part in (clips, shuffled))
        assert before != after
        assert sorted(before) == sorted(after)
    assert np.mean([one.emotion == other.emotion for one, other in zip(clips, shuffled, strict=True)]) < 0.25


def count_up(row: dict[str, str], log: str) -> dict[str, int]:
    with Path(log).open("a") as file:
        file.write(f"{row['file']}\n")
    return {"length": len(row["file"])}


def test_cached_features_are_computed_once(corpus_folder: Path, tmp_path: Path) -> None:
    table, log = load_ravdess(corpus_folder), tmp_path / "log"
    for _ in range(2):
        found = cached_map(table, count_up, {"length": Value("int64")}, "Counting", log=str(log))
        assert set(found["length"]) == {20}
    assert len(log.read_text().splitlines()) == len(table)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a manifest beside two clips."""
    for number, vowels in enumerate(("aeia", "ouou")):
        sf.write(tmp_path / f"{number}.wav", speak(vowels), RATE_HZ)

    def write_rows(*rows: str, header: str = HEADER) -> Path:
        (tmp_path / "more.csv").write_text("\n".join([header, *rows]) + "\n")
        return tmp_path / "more.csv"

    return write_rows


def test_a_manifest_adds_clips_and_classes(write: Write, corpus_folder: Path) -> None:
    manifest = write("0.wav,sad,anna,female,de", "1.wav,bored,ben,male,en")
    corpus = read_corpus(corpus_folder, manifest, allow_missing=True)
    assert corpus.emotions == (*EMOTIONS, "bored")
    assert corpus.about is not None
    assert corpus.about["languages"] == {"de": 1, "en": 1}
    assert len(corpus.clips) == 48
    labels = [(clip.emotion, clip.gender, clip.actor, clip.intensity, clip.is_song) for clip in corpus.extra]
    assert labels == [(3, 1, 101, UNKNOWN, False), (8, 0, 102, UNKNOWN, False)]
    assert len(corpus.table) == 50


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2.wav,sad,anna,female,de", r"row 3: there is no file .*2.wav. Correct the path"),
        ("1.wav,sad,anna,woman,de", r"row 3: unknown gender 'woman'. Write male or female"),
        ("1.wav,,anna,female,de", r"row 3: emotion is empty. Fill it in"),
        ("1.wav,sad,anna", r"row 3: gender is empty"),
        ("1.wav,Sad,anna,female,de", r"row 3: the emotion 'Sad' must be a name in small letters"),
        ("1.wav,sad,anna,female,German", r"row 3: unknown language 'German'. Write its ISO 639 code"),
        ("0.wav,sad,anna,female,de", r"row 3: .*0.wav is listed in row 2, too"),
        ("1.wav,sad,ben,female,de", r"row 3: ben is female here and male in row 2"),
    ],
)
def test_a_bad_row_is_named_with_the_remedy(write: Write, row: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        load_manifest(write("0.wav,bored,ben,male,en", row))


def test_a_manifest_without_a_column_or_rows_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="lacks the column speaker"):
        load_manifest(write("0.wav,sad", header="path,emotion"))
    with pytest.raises(CorpusError, match="is empty"):
        load_manifest(write())
    with pytest.raises(CorpusError, match="does not exist"):
        load_manifest(tmp_path / "none.csv")


def test_clips_of_ravdess_are_refused_by_name_and_by_sound(corpus_folder: Path, write: Write, tmp_path: Path) -> None:
    original = next(corpus_folder.rglob("*.wav"))
    (tmp_path / original.name).write_bytes(original.read_bytes())
    with pytest.raises(CorpusError, match=r"row 2: .* is a clip of RAVDESS by its name"):
        load_manifest(write(f"{original.name},sad,anna,female,en"))
    (tmp_path / "renamed.wav").write_bytes(original.read_bytes())
    with pytest.raises(CorpusError, match=f"more.csv:2 is the recording {original.stem} of RAVDESS"):
        read_corpus(corpus_folder, write("renamed.wav,sad,anna,female,en"), allow_missing=True)


def test_a_damaged_clip_is_named_by_its_row(write: Write, tmp_path: Path) -> None:
    (tmp_path / "1.wav").write_text("dear reader")
    with pytest.raises(ValueError, match=r"more\.csv:3: "):
        make_clips(prepare(load_manifest(write("0.wav,sad,anna,female,de", "1.wav,sad,anna,female,de"))))
