"""Clips are decoded, cut to their speech and described once; what their labels or sound change changes their name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from datasets import Value
from made_corpus import make_clip
from voice import RATE_HZ

from ser_model.frontend import HOP
from ser_model.training.clips import Clip, cached_map, fingerprint_clips, make_clips, prepare, shuffle_labels
from ser_model.training.corpora import load_ravdess


@pytest.fixture(scope="module")
def clips(corpus_folder: Path) -> list[Clip]:
    return make_clips(prepare(load_ravdess(corpus_folder), with_power=True))


def test_spans_are_inside_their_clips(clips: list[Clip]) -> None:
    assert len(clips) == 48
    for clip in clips:
        assert 0 <= clip.span[0] < clip.span[1] <= clip.waveform.size
        assert 0.5 < clip.speech.size / RATE_HZ <= 1.8  # all of it where the detector doubts a synthetic voice


def test_an_opus_copy_says_the_same_at_the_same_time(clips: list[Clip]) -> None:
    for clip in clips:
        assert clip.power is not None
        plain, _, opus = (power.astype(np.float64) for power in clip.power.powers)
        assert clip.power.spans[0] == clip.power.spans[2] == tuple(round(edge / HOP) for edge in clip.span)
        shifts = range(-3, 4)
        likeness = [np.sum(np.roll(opus, shift, axis=1) * plain) for shift in shifts]
        assert shifts[int(np.argmax(likeness))] == 0
        assert 0.4 < max(likeness) / np.sum(plain**2) < 1.5
        assert not np.allclose(opus, plain, rtol=1e-2)


def test_the_fingerprint_changes_with_labels_and_opus_copies(clips: list[Clip]) -> None:
    plain = [replace(clip, power=None) for clip in clips]
    assert len({fingerprint_clips(one) for one in (clips, plain, clips[1:], shuffle_labels(clips))}) == 4
    assert fingerprint_clips(clips) == fingerprint_clips([replace(clip) for clip in clips])


def test_shuffling_keeps_the_emotions_of_speech_and_of_songs_and_forgets_votes() -> None:
    clips = [make_clip(str(i), i % 8, is_song=i % 5 > 2, votes=np.ones(8) / 8) for i in range(400)]
    shuffled = shuffle_labels(clips)
    assert [clip.file for clip in shuffled] == [clip.file for clip in clips]
    for song in (False, True):
        before, after = ([clip.emotion for clip in part if clip.is_song == song] for part in (clips, shuffled))
        assert before != after
        assert sorted(before) == sorted(after)
    assert np.mean([one.emotion == other.emotion for one, other in zip(clips, shuffled, strict=True)]) < 0.25
    assert all(clip.votes is None for clip in shuffled)


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
