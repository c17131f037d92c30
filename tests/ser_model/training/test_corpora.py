from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest
from datasets import Audio, Dataset
from hypothesis import given
from hypothesis import strategies as st

from ser_model.labels import EMOTIONS
from ser_model.training.ravdess import ClipName, CorpusError, check_counts, load_hub_copy, load_ravdess


@given(
    st.integers(1, 2), st.integers(1, 8), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2), st.integers(1, 24)
)
def test_every_name_is_read_back(
    channel: int, emotion: int, intensity: int, statement: int, repetition: int, actor: int
) -> None:
    name = f"03-{channel:02d}-{emotion:02d}-{intensity:02d}-{statement:02d}-{repetition:02d}-{actor:02d}.wav"
    clip = ClipName.parse(f"some/folder/{name}")
    assert clip.emotion is EMOTIONS[emotion - 1]
    assert (clip.statement, clip.repetition, clip.actor) == (statement, repetition, actor)
    assert clip.gender == ("male" if actor % 2 else "female")


@pytest.mark.parametrize(
    "name", ["voice.wav", "03-01-09-01-01-01-01.wav", "02-01-01-01-01-01-01.wav", "03-01-01-01-01-01-25.wav"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(CorpusError, match="RAVDESS names"):
        ClipName.parse(name)


def test_a_folder_becomes_a_dataset_with_every_label(corpus_folder: Path) -> None:
    corpus = load_ravdess(corpus_folder)
    assert len(corpus) == 6 * 8
    assert set(corpus.column_names) == {
        "audio",
        "file",
        "emotion",
        "intensity",
        "statement",
        "repetition",
        "actor",
        "gender",
        "channel",
    }
    assert Counter(corpus["actor"]) == dict.fromkeys((2, 3, 5, 6, 9, 10), 8)
    assert corpus.features["emotion"].names == list(EMOTIONS)
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


def test_what_is_missing_is_named(corpus_folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"48 of 1440.*actor 01 neutral: 0 of 4.* more"):
        check_counts(load_ravdess(corpus_folder))


@pytest.mark.parametrize("source", ["nowhere", "nowhere/at/all", "/nowhere"])
def test_a_place_that_is_not_there_is_named(source: str) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        load_ravdess(source)


def test_a_folder_without_clips_says_where_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="zenodo"):
        load_ravdess(tmp_path)
    (tmp_path / "Audio.zip").write_bytes(b"PK cut off")
    with pytest.raises(CorpusError, match="Fetch it again"):
        load_ravdess(tmp_path)


def test_the_real_corpus_is_whole(shared: Path) -> None:
    corpus = load_ravdess(shared / "data/ravdess")
    check_counts(corpus)
    channels = Counter(corpus["channel"])
    assert (channels[0], channels[1]) == (1440, 1012)
    emotions = Counter(name for name, channel in zip(corpus["emotion"], corpus["channel"], strict=True) if channel == 0)
    assert [emotions[index] for index in range(8)] == [96] + [192] * 7
