"""How a film feels: a closed list of words, what they say on a card, and who can watch along."""

from __future__ import annotations

from scraper.film import Film

TONES = (
    "warm", "funny", "calm", "tense", "scary", "dark", "sad", "wonder", "harrowing", "crude", "rush", "thoughtful",
    "puzzle",
)  # fmt: skip
BRIGHT = frozenset({"warm", "funny", "calm", "wonder"})
HEAVY = frozenset({"harrowing", "scary", "dark", "sad", "tense"})  # what a lighter film has less of
NOT_FOR_KIDS = frozenset({"scary", "dark", "harrowing", "crude"})
CHIPS = {
    "warm": {"warm"}, "funny": {"funny"}, "calm": {"calm"}, "exciting": {"rush", "tense"}, "dark": {"dark"},
    "sad": {"sad"}, "thoughtful": {"thoughtful"},
}  # fmt: skip  # what a visitor can ask for, and the tones that count as it

KIDS_CERTIFICATES = frozenset({"G", "PG", "GP", "TV-G", "TV-PG", "TV-Y", "TV-Y7"})
KIDS_GENRES = frozenset({"Family", "Animation"})  # enough for a film without a certificate
ADULT_CERTIFICATES = frozenset({"R", "NC-17", "TV-MA", "X", "18+"})

_WORDS = {
    "warm": "warm", "funny": "funny", "calm": "quiet", "tense": "tense", "scary": "scary", "dark": "dark",
    "sad": "sad", "wonder": "full of wonder", "harrowing": "hard to watch", "crude": "rude", "rush": "exciting",
    "thoughtful": "thoughtful", "puzzle": "puzzling",
}  # fmt: skip
_WARNINGS = ("harrowing", "scary", "crude")  # said even if they come last


def describe(tone: tuple[str, ...]) -> str:
    """Say in a few words how a film feels, such as "Sad, but kind"; empty if that is not known."""
    if not tone:
        return ""
    first, *others = tone
    text = _WORDS[first]
    if others:
        second = others[0]
        turns = (second in BRIGHT and first in HEAVY) or (first in BRIGHT and second in HEAVY)
        word = "kind" if second == "warm" and turns else _WORDS[second]
        text += f", but {word}" if turns else f" and {word}"
    late = [f"at times {_WORDS[one]}" for one in _WARNINGS if one in tone[2:]]
    return ", ".join([text[0].upper() + text[1:], *late])


def suits_kids(film: Film) -> bool:
    """Return whether a film is good with kids: by its certificate, else by its genres, and by its tone if known."""
    if NOT_FOR_KIDS & set(film.tone):
        return False
    if film.certificate:
        return film.certificate in KIDS_CERTIFICATES
    return not KIDS_GENRES.isdisjoint(film.genres)


def has_chips(film: Film, chips: tuple[str, ...]) -> bool:
    """Return whether a film has every tone that was asked for; one of unknown tone has none."""
    return all(not CHIPS[chip].isdisjoint(film.tone) for chip in chips)
