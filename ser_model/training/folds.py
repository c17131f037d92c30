"""Which clips are trained on and which are scored: folds by speaker, folds by corpus, and the random split."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from ser_model.training.clips import RAVDESS, Clip, list_speech
from ser_model.training.corpora import ACTORS, SOURCES, UNLABELED, use_of

# Luna-Jimenez et al. 2021 (Sensors 21:7665), test actors; validation actors of Krasnoproshin & Vashkevich 2026
LUNA_TEST = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
LUNA_VALIDATION = ((3, 6), (10, 11), (8, 17), (1, 14), (2, 5))
# EmoBox 2024, data/ravdess/fold_1 to fold_6
EMOBOX_TEST = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))
BY_SPEAKER = ("luna", "emobox", "loso")
PROTOCOLS = (*BY_SPEAKER, "corpora", "random", "random-copies", "all")
ONE_SPEAKER = "Predictions are calibrated on other speakers. Name folds that score at least two."
OTHERS = "others"  # the fold of protocol corpora that trains on every corpus it may, and scores all that are left
FOLD_SEED = 0  # of the folds by speaker of further corpora

COPIES = ("noise", "shift", "pitch", "speed")  # of each clip, that the classic recipe makes


@dataclass(frozen=True)
class Fold:
    """One split: the clips to train on, and the clips to score."""

    name: str
    train: list[Clip]
    test: list[Clip]


def split_clips(clips: list[Clip], protocol: str, use_validation: bool = False) -> list[Fold]:
    """Split the clips.

    Songs and unlabeled clips are trained on and never scored. In folds by speaker, the speakers of every further corpus
    to train on are divided, too: a fold scores its share of each. "random" splits RAVDESS speech at random, so speakers
    are on both sides; it is here to show how much that flatters. "random-copies" is the split this project began with:
    clips and their changed copies are split together, so copies of scored clips are trained on. "corpora" leaves out
    one corpus at a time.

    Args:
        clips: Of all corpora.
        protocol: One of PROTOCOLS except for "all".
        use_validation: To choose settings. Folds by speaker leave out their test speakers and score others, who are
            otherwise trained on, and the corpora to validate with; "corpora" scores only the latter.
    """
    ravdess = [clip for clip in clips if clip.corpus == RAVDESS]
    speech = list_speech(ravdess)
    if protocol == "random":
        folds = [_drop_duplicates_of_test(fold) for fold in _split_at_random(speech, use_validation)]
        further = [c for c in clips if c.corpus != RAVDESS and use_of(c.corpus) in ("train", UNLABELED)]
        return [replace(fold, train=fold.train + further) for fold in folds]
    if protocol == "random-copies":
        return _split_at_random(copy_clips(speech), use_validation)[:1]
    if protocol == "corpora":
        return _split_by_corpus(clips, use_validation)
    if protocol == "luna":
        splits = zip("01234", LUNA_TEST, LUNA_VALIDATION, strict=True)
    elif protocol == "emobox":
        splits = zip("123456", EMOBOX_TEST, [test[:2] for test in (*EMOBOX_TEST[1:], EMOBOX_TEST[0])], strict=True)
    else:  # loso, validated on the next two actors, a woman and a man
        actors = range(1, len(ACTORS) + 1)
        following = [(actor % 24 + 1, (actor + 1) % 24 + 1) for actor in actors]
        splits = zip(ACTORS, ((actor,) for actor in actors), following, strict=True)
    return _split_by_speaker(clips, list(splits), with_groups=protocol != "loso", use_validation=use_validation)


def group_speakers(clips: list[Clip], count: int) -> dict[str, int]:
    """Divide the speakers of each further corpus to train on into groups, at random, women and men alike."""
    further = {corpus for corpus, source in SOURCES.items() if source.use == "train" and corpus != RAVDESS}
    rng = np.random.default_rng(FOLD_SEED)
    groups: dict[str, int] = {}
    for corpus in sorted(further):
        speakers = sorted({(clip.gender, clip.speaker) for clip in clips if clip.corpus == corpus})
        shuffled = sorted(rng.permutation(len(speakers)).tolist(), key=lambda place: speakers[place][0])
        groups |= {speakers[place][1]: number % count for number, place in enumerate(shuffled)}
    return groups


def select_folds(folds: list[Fold], names: list[str] | None) -> list[Fold]:
    """Select folds by name, or all; those without clips to score (absent actors) are left out.

    Raises:
        ValueError: A name is unknown, or the folds score a single speaker.
    """
    known = {fold.name: fold for fold in folds if fold.test}
    unknown = set(names or known) - set(known)
    if unknown or not known:
        raise ValueError(f"There is no fold {', '.join(sorted(unknown))}. Choose from {', '.join(known) or 'none'}.")
    chosen = [known[name] for name in names or known]
    if len({clip.speaker for fold in chosen for clip in fold.test}) == 1:
        raise ValueError(ONE_SPEAKER)
    return chosen


def copy_clips(clips: list[Clip]) -> list[Clip]:
    """Return each clip followed by its COPIES, named FILE~noise and so on.

    A copy has the labels and the waveform of its clip; only the descriptors under its name are those of changed sound.
    """
    names = ("", *(f"~{copy}" for copy in COPIES))
    return [replace(clip, file=f"{clip.file}{name}") for clip in clips for name in names]


def _split_by_speaker(
    clips: list[Clip],
    splits: list[tuple[str, tuple[int, ...], tuple[int, ...]]],
    *,
    with_groups: bool,
    use_validation: bool,
) -> list[Fold]:
    """Hold out the actors of each split, and with with_groups one group of the speakers of each further corpus."""
    groups = group_speakers(clips, len(splits)) if with_groups else {}
    trainable = [clip for clip in clips if use_of(clip.corpus) in ("train", UNLABELED)]
    validation_corpora = [clip for clip in clips if use_of(clip.corpus) == "validate"] if use_validation else []
    folds = []
    for number, (name, test, validation) in enumerate(splits):
        following = (number + 1) % len(splits)
        test_speakers, validation_speakers = (
            {f"{actor:02d}" for actor in actors} | {speaker for speaker, group in groups.items() if group == own}
            for actors, own in ((test, number), (validation, following))
        )
        held_out = test_speakers | validation_speakers if use_validation else test_speakers
        scored = validation_speakers if use_validation else test_speakers
        train = [clip for clip in trainable if clip.speaker not in held_out]
        own_test = [clip for clip in list_speech(trainable) if clip.speaker in scored]
        folds.append(Fold(name, train, own_test + validation_corpora))
    return folds


def _split_by_corpus(clips: list[Clip], use_validation: bool) -> list[Fold]:
    """Leave out each further corpus to train on in turn; one more fold leaves out none and scores the others."""
    labeled = [clip for clip in clips if use_of(clip.corpus) == "train"]
    further = sorted({clip.corpus for clip in labeled if clip.corpus in SOURCES} - {RAVDESS})
    unlabeled = [clip for clip in clips if clip.corpus == UNLABELED]
    validation = [clip for clip in clips if use_of(clip.corpus) == "validate"]
    folds = []
    for left_out in (*further, OTHERS):
        test = [
            clip for clip in clips if clip.corpus == left_out or (left_out == OTHERS and use_of(clip.corpus) == "score")
        ]
        train = [clip for clip in labeled if clip.corpus != left_out] + unlabeled
        folds.append(Fold(left_out, train, validation if use_validation else test))
    return folds


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
