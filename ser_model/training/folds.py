"""Which clips are trained on and which are scored: the published splits of RAVDESS by actor, and the random one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sklearn.model_selection import StratifiedKFold, train_test_split

from ser_model.training.corpora import ACTORS, Clip, list_speech

# Luna-Jimenez et al. 2021 (Sensors 21:7665), test actors; validation actors of Krasnoproshin & Vashkevich 2026
LUNA_TEST = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
LUNA_VALIDATION = ((3, 6), (10, 11), (8, 17), (1, 14), (2, 5))
# EmoBox 2024, data/ravdess/fold_1 to fold_6
EMOBOX_TEST = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))
BY_ACTOR = ("luna", "emobox", "loso")
PROTOCOLS = (*BY_ACTOR, "random", "random-copies", "all")
ONE_ACTOR = "Predictions are calibrated on other actors. Name folds that score at least two actors."

COPIES = ("noise", "shift", "pitch", "speed")  # of each clip, that the classic recipe makes


@dataclass(frozen=True)
class Fold:
    """One split: the clips to train on, and the clips to score."""

    name: str
    train: list[Clip]
    test: list[Clip]


def split_clips(clips: list[Clip], protocol: str, use_validation: bool = False) -> list[Fold]:
    """Split RAVDESS.

    Songs of the training actors are trained on; only speech is scored. "random" splits the speech clips at random, so
    speakers are on both sides; it is here to show how much that flatters. "random-copies" is the split this project
    began with: clips and their changed copies are split together, so copies of scored clips are trained on.

    Args:
        clips: The corpus.
        protocol: One of PROTOCOLS except for "all".
        use_validation: Leave out the test actors and score validation actors instead, who are otherwise trained on,
            to choose settings.
    """
    speech = list_speech(clips)
    if protocol == "random":
        return [_drop_duplicates_of_test(fold) for fold in _split_at_random(speech, use_validation)]
    if protocol == "random-copies":
        return _split_at_random(copy_clips(speech), use_validation)[:1]
    if protocol == "luna":
        splits = zip("01234", LUNA_TEST, LUNA_VALIDATION, strict=True)
    elif protocol == "emobox":
        splits = zip("123456", EMOBOX_TEST, [test[:2] for test in (*EMOBOX_TEST[1:], EMOBOX_TEST[0])], strict=True)
    else:  # loso, validated on the next two actors, a woman and a man
        following = [(actor % 24 + 1, (actor + 1) % 24 + 1) for actor in ACTORS]
        splits = zip((f"{actor:02d}" for actor in ACTORS), ((actor,) for actor in ACTORS), following, strict=True)
    folds = []
    for name, test, validation in splits:
        held_out, scored = (test + validation, validation) if use_validation else (test, test)
        train = [clip for clip in clips if clip.actor not in held_out]
        folds.append(Fold(name, train, [clip for clip in speech if clip.actor in scored]))
    return folds


def select_folds(folds: list[Fold], names: list[str] | None) -> list[Fold]:
    """Select folds by name, or all; those without clips to score (absent actors) are left out.

    Raises:
        ValueError: A name is unknown, or the folds score a single actor.
    """
    known = {fold.name: fold for fold in folds if fold.test}
    unknown = set(names or known) - set(known)
    if unknown or not known:
        raise ValueError(f"There is no fold {', '.join(sorted(unknown))}. Choose from {', '.join(known) or 'none'}.")
    chosen = [known[name] for name in names or known]
    if len({clip.actor for fold in chosen for clip in fold.test}) == 1:
        raise ValueError(ONE_ACTOR)
    return chosen


def add_training_clips(folds: list[Fold], extra: list[Clip]) -> list[Fold]:
    """Add clips to the training part of every fold; they are never scored."""
    return [replace(fold, train=fold.train + extra) for fold in folds]


def copy_clips(clips: list[Clip]) -> list[Clip]:
    """Return each clip followed by its COPIES, named FILE~noise and so on.

    A copy has the labels and the waveform of its clip; only the descriptors under its name are those of changed sound.
    """
    names = ("", *(f"~{copy}" for copy in COPIES))
    return [replace(clip, file=f"{clip.file}{name}") for clip in clips for name in names]


def _split_at_random(speech: list[Clip], use_validation: bool) -> list[Fold]:
    """Five stratified folds; for validation an eighth of the training part is scored instead."""
    emotions = [clip.emotion for clip in speech]
    folds = []
    for number, (rest, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(speech, emotions)):
        if use_validation:
            classes = [emotions[i] for i in rest]
            rest, test = train_test_split(rest, test_size=1 / 8, stratify=classes, random_state=0)  # noqa: PLW2901
        folds.append(Fold(str(number), [speech[i] for i in rest], [speech[i] for i in test]))
    return folds


def _drop_duplicates_of_test(fold: Fold) -> Fold:
    """Train on no sound that is scored: RAVDESS has one recording of actor 07 under two names."""
    scored = {clip.waveform.tobytes() for clip in fold.test}
    return replace(fold, train=[clip for clip in fold.train if clip.waveform.tobytes() not in scored])
