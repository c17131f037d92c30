"""Who is trained on and who is scored: the published splits of RAVDESS by actor, and the random one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sklearn.model_selection import StratifiedKFold, train_test_split

from ser_model.training.clips import Clip
from ser_model.training.copies import copy_clips

ACTORS = tuple(range(1, 25))
# Luna-Jimenez et al. 2021 (Sensors 21:7665), test actors; validation actors of Krasnoproshin & Vashkevich 2026
LUNA_TEST = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
LUNA_VALIDATION = ((3, 6), (10, 11), (8, 17), (1, 14), (2, 5))
# EmoBox 2024, data/ravdess/fold_1 to fold_6
EMOBOX_TEST = (
    (1, 11, 20, 21),
    (4, 10, 12, 14),
    (8, 9, 19, 23),
    (3, 5, 7, 24),
    (2, 15, 16, 18),
    (6, 13, 17, 22),
)
TOO_FEW = "An answer is calibrated on other actors' clips. Name folds that score two actors at least."
BY_ACTOR = ("luna", "emobox", "loso")
PROTOCOLS = (*BY_ACTOR, "random", "random-copies", "all")


@dataclass(frozen=True)
class Fold:
    """One split: the clips to train on, and those to score."""

    name: str
    train: list[Clip]
    test: list[Clip]


def split_clips(clips: list[Clip], protocol: str, choosing: bool = False) -> list[Fold]:
    """Split the corpus.

    Song clips of the training actors are trained on; only speech is ever scored. Protocol "all" trains on
    everybody and scores nobody; "random" is the usual split over speech clips with speakers on both sides, kept to
    show how much it flatters; "random-copies" is the split that this project began with, over clips and their
    copies alike, so that copies of a clip that is scored were trained on: one draw, as it was then.

    Args:
        clips: The corpus.
        protocol: One of PROTOCOLS.
        choosing: Leave the test actors out altogether and score validation actors in their place, who are otherwise
            trained on: settings are chosen so, and reported once they stand.

    Raises:
        ValueError: There is no such protocol.
    """
    speech = list_speech(clips)
    if protocol == "luna":
        return [
            _by_actor(clips, str(number), test, validation if choosing else ())
            for number, (test, validation) in enumerate(zip(LUNA_TEST, LUNA_VALIDATION, strict=True))
        ]
    if protocol == "emobox":
        nexts = (*EMOBOX_TEST[1:], EMOBOX_TEST[0])
        return [
            _by_actor(clips, str(number), test, following[:2] if choosing else ())
            for number, (test, following) in enumerate(zip(EMOBOX_TEST, nexts, strict=True), start=1)
        ]
    if protocol == "loso":
        return [_by_actor(clips, f"{actor:02d}", (actor,), _next_two(actor) if choosing else ()) for actor in ACTORS]
    if protocol == "random":
        return [_part_twins(fold) for fold in _at_random(speech, choosing)]
    if protocol == "random-copies":
        return _at_random(copy_clips(speech), choosing)[:1]
    if protocol == "all":
        return [Fold("all", clips, [])]
    raise ValueError(f"There is no protocol {protocol!r}. Choose one of {', '.join(PROTOCOLS)}.")


def join_training(folds: list[Fold], extra: list[Clip]) -> list[Fold]:
    """Add further clips to the training part of every fold; none of them is ever scored."""
    return [replace(fold, train=fold.train + extra) for fold in folds]


def select_folds(folds: list[Fold], names: list[str] | None) -> list[Fold]:
    """Keep the folds named, or all; folds without test clips (absent actors) are left out.

    Raises:
        ValueError: One is unknown, or they score one actor alone.
    """
    known = {fold.name: fold for fold in folds if fold.test}
    unknown = set(names or known) - set(known)
    if unknown or not known:
        raise ValueError(f"There is no fold {', '.join(sorted(unknown))}. Choose from {', '.join(known) or 'none'}.")
    chosen = [known[name] for name in names or known]
    if len({clip.actor for fold in chosen for clip in fold.test}) == 1:
        raise ValueError(TOO_FEW)
    return chosen


def list_speech(clips: list[Clip]) -> list[Clip]:
    """Leave the song clips out."""
    return [clip for clip in clips if not clip.is_song]


def _by_actor(clips: list[Clip], name: str, test: tuple[int, ...], validation: tuple[int, ...]) -> Fold:
    return Fold(
        name,
        train=[clip for clip in clips if clip.actor not in test + validation],
        test=[clip for clip in list_speech(clips) if clip.actor in (validation or test)],
    )


def _next_two(actor: int) -> tuple[int, int]:
    """Return the two actors behind one, a woman and a man."""
    return actor % 24 + 1, (actor + 1) % 24 + 1


def _at_random(speech: list[Clip], choosing: bool) -> list[Fold]:
    """Five stratified fifths; an eighth of each rest is there to choose by."""
    emotions = [clip.emotion for clip in speech]
    folds = []
    for number, (rest, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(speech, emotions)):
        if choosing:
            kinds = [emotions[i] for i in rest]
            rest, test = train_test_split(rest, test_size=1 / 8, stratify=kinds, random_state=0)  # noqa: PLW2901
        folds.append(Fold(str(number), [speech[i] for i in rest], [speech[i] for i in test]))
    return folds


def _part_twins(fold: Fold) -> Fold:
    """Train on no sound that is scored: RAVDESS has one recording of actor 07 under two names."""
    scored = {clip.waveform.tobytes() for clip in fold.test}
    return replace(fold, train=[clip for clip in fold.train if clip.waveform.tobytes() not in scored])
