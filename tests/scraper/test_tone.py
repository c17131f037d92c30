"""What is said of a film's tone, and what is good with kids."""

from __future__ import annotations

import pytest

from scraper.film import Film
from scraper.tone import TONES, describe, has_chips, suits_kids


@pytest.mark.parametrize(
    ("tone", "sentence"),
    [
        ("warm funny", "Warm and funny"),
        ("sad warm", "Sad, but kind"),
        ("funny dark", "Funny, but dark"),
        ("rush tense scary", "Exciting and tense, at times scary"),
        ("harrowing", "Hard to watch"),
        ("", ""),
    ],
)
def test_a_film_is_described_by_its_strongest_tones(tone: str, sentence: str) -> None:
    assert describe(tuple(tone.split())) == sentence


def test_every_tone_has_a_word() -> None:
    assert len({describe((tone,)) for tone in TONES}) == len(TONES)


@pytest.mark.parametrize(
    ("certificate", "genres", "tone", "suits"),
    [
        ("PG", (), "funny", True),
        ("PG", (), "funny scary", False),
        ("PG-13", ("Family",), "warm", False),
        (None, ("Animation",), "", True),
        (None, ("Drama",), "warm", False),
    ],
)
def test_kids(certificate: str | None, genres: tuple[str, ...], tone: str, suits: bool) -> None:
    assert suits_kids(Film("tt0000001", "x", genres=genres, tone=tuple(tone.split()), certificate=certificate)) is suits


def test_a_film_has_every_tone_that_is_asked_for() -> None:
    film = Film("tt0000001", "x", tone=("rush", "dark"))
    assert has_chips(film, ())
    assert has_chips(film, ("exciting", "dark"))
    assert not has_chips(film, ("exciting", "funny"))
