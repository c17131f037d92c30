"""Published corpora of emotional speech, a CSV file that lists clips, and speech without labels, as one table.

Each loader returns a datasets.Dataset with the columns of FEATURES, one row a clip; nothing is decoded here.
"""

from __future__ import annotations

import csv
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from datasets import Audio, Dataset, Features, List, Value, concatenate_datasets, load_dataset

from ser_model.labels import EMOTIONS, GENDERS, INTENSITIES, Emotion, Gender, Intensity
from ser_model.training.clips import RAVDESS, Clip, make_clips, prepare

HUB_COPY = "hf:xbgoose/ravdess"
RAVDESS_PAGE = "zenodo.org/records/1188976"
SUFFIXES = {".wav", ".flac"}
ACTORS = tuple(f"{number:02d}" for number in range(1, 25))  # of RAVDESS
CLIPS_PER_ACTOR = {emotion: 4 if emotion is Emotion.NEUTRAL else 8 for emotion in EMOTIONS}  # of RAVDESS speech
MAX_NAMED = 6  # gaps that an error names
IN_ZIP = "\0"  # between the path of a zip file and that of a member
UNLABELED = "unlabeled"  # the corpus of speech that only a teacher labels
MANIFEST_COLUMNS = ("path", "emotion", "speaker", "gender", "language")

FEATURES = Features(
    {
        "audio": {"bytes": Value("binary"), "path": Value("string")},
        "file": Value("string"),  # a name that no other clip has
        "corpus": Value("string"),
        "speaker": Value("string"),  # a name that no speaker of another corpus has
        "emotion": Value("string"),  # empty if unknown, as are intensity and gender
        "intensity": Value("string"),
        "gender": Value("string"),
        "language": Value("string"),  # ISO 639
        "is_acted": Value("bool"),
        "license": Value("string"),
        "is_song": Value("bool"),
        "votes": List(Value("float32")),  # share of the raters for each of EMOTIONS; empty if nobody was asked
    }
)


class CorpusError(ValueError):
    """A corpus is missing, incomplete or damaged. The message says what to do."""


@dataclass(frozen=True)
class Source:
    """A published corpus: how it names its clips, and on what terms."""

    title: str  # its name in documents
    # matches the names of its clips without their ending, in capitals or not. The groups are the labels: emotion,
    # speaker, and if they are known intensity and gender.
    pattern: str
    emotions: dict[str, Emotion]  # emotion by the word or letter of the name
    language: str  # ISO 639 code
    license: str  # as its authors state it
    citation: str  # authors, year and where
    # "train" if its license allows to ship weights that were trained on it, "score" for figures only, "validate" to
    # choose settings only
    use: str
    is_acted: bool = True  # whether the emotions are acted
    # the speakers who are women, if no group of the name says so; None if nothing is known
    women: frozenset[str] | None = None
    defects: frozenset[str] = frozenset()  # clips to leave out: silent, damaged, or the same recording under two labels


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _words(text: str) -> dict[str, Emotion]:
    """Read pairs of a word of a corpus and the emotion it stands for."""
    words = text.split()
    return {word: Emotion(emotion) for word, emotion in zip(words[::2], words[1::2], strict=True)}


SOURCES = {
    RAVDESS: Source(
        "RAVDESS",
        r"03-0(?P<channel>[12])-0(?P<emotion>[1-8])-0(?P<intensity>[12])-0(?P<statement>[12])-0(?P<repetition>[12])-(?P<speaker>0[1-9]|1\d|2[0-4])",
        {str(number): emotion for number, emotion in enumerate(EMOTIONS, 1)},
        "en",
        "CC BY-NC-SA 4.0",
        "Livingstone and Russo 2018, doi:10.1371/journal.pone.0196391",
        "train",
        women=frozenset(actor for actor in ACTORS if int(actor) % 2 == 0),
    ),
    "crema-d": Source(
        "CREMA-D",
        r"(?P<speaker>1\d{3})_[A-Z]{3}_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<intensity>LO|MD|HI|XX?)",
        _words("ANG angry DIS disgust FEA fearful HAP happy NEU neutral SAD sad"),
        "en",
        "ODbL 1.0",
        "Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244",
        "train",
        women=_names(
            "1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 "
            "1047 1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 "
            "1091"
        ),
        defects=_names(
            "1076_MTI_SAD_XX 1006_TIE_HAP_XX 1006_TIE_NEU_XX 1013_WSI_DIS_XX 1013_WSI_SAD_XX 1017_IWW_ANG_XX "
            "1017_IWW_FEA_XX"
        ),
    ),
    "nemo": Source(
        "nEMO",
        r"(?P<speaker>[A-Z]{2}\d)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)_\d+",
        _words("anger angry fear fearful happiness happy neutral neutral sadness sad surprised surprised"),
        "pl",
        "CC BY-NC-SA 4.0",
        "Christop 2024, arXiv:2404.06292",
        "train",
        women=_names("EB0 IC0 KD0 MK0"),
    ),
    "ased": Source(
        "ASED",
        r"(?P<emotion>[nfhsa])[1-5]-\d\d-\d\d-\d\d-(?P<speaker>\d\d)",
        _words("n neutral f fearful h happy s sad a angry"),
        "am",
        "none stated; free with citation",
        "Retta et al. 2022, doi:10.1145/3529759",
        "score",  # the sex in the names is partly wrong
    ),
    "urdu": Source(
        "URDU",
        r"(?P<speaker>S(?P<gender>[MF])\d+)_F\d+_(?P<emotion>[AHNS])\d+",
        _words("A angry H happy N neutral S sad"),
        "ur",
        "research only",
        "Latif et al. 2018, arXiv:1812.10411",
        "score",
        is_acted=False,
    ),
    "tess": Source(
        "TESS",
        r"(?P<speaker>[OY]A)F?_[a-z]+_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)",
        _words("angry angry disgust disgust fear fearful happy happy neutral neutral ps surprised sad sad"),
        "en",
        "CC BY-NC-ND 4.0",
        "Pichora-Fuller and Dupuis 2020, doi:10.5683/SP2/E8H2MF",
        "score",
        women=_names("OA YA"),
        defects=_names("YAF_germ_angry YAF_neat_fear"),
    ),
    "emospeech": Source(
        "EmoSpeech",
        r"(?!background)[^-]+-[^-]+-(?P<emotion>calm|angry|fearful|happy)-[^-]*-(?P<speaker>[0-9a-f]{56})",
        _words("calm calm angry angry fearful fearful happy happy"),
        "hi",
        "CC BY-NC-SA 4.0",
        "RakshakTeam 2019, emospeech-dataset-v1",
        "validate",
    ),
    "turev-db": Source(
        "TurEV-DB",
        r"\d+_(?P<emotion>kz|sk|mt|hl)_[^_]+",  # the speakers are not named
        _words("kz angry sk calm mt happy hl sad"),
        "tr",
        "CC BY-NC-ND 4.0",
        "Canpolat et al. 2020, TurEV-DB",
        "validate",
    ),
}


@dataclass(frozen=True)
class Corpora:
    """Everything a training run may use."""

    clips: list[Clip]  # all clips; see use_of for what each corpus may be used for
    emotions: tuple[str, ...]  # the classes; the eight of RAVDESS come first
    about: dict[str, str]  # one line for each corpus: what was found, and what was left out
    table: Dataset  # the rows behind the clips, from prepare, in the same order


@dataclass
class _Found:
    """The clips that a search of folders has come upon, and what it passed over."""

    places: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # name and place, by corpus and name
    copies: set[tuple[str, str]] = field(default_factory=set)  # corpus and place of clips that were found before
    passed_over: Counter[str] = field(default_factory=Counter)


def use_of(corpus: str) -> str:
    """Return what a corpus may be used for: train, score, validate or unlabeled. Manifests are for training."""
    if corpus == UNLABELED:
        return UNLABELED
    return SOURCES[corpus].use if corpus in SOURCES else "train"


def read_corpora(
    folders: Sequence[str | Path],
    manifest: Path | None = None,
    unlabeled: Sequence[Path] = (),
    *,
    allow_missing: bool = False,
    with_power: bool = False,
) -> Corpora:
    """Load every corpus of SOURCES that lies in some folders, the clips of a manifest, and speech without labels.

    Args:
        folders: See load_corpora.
        manifest: See load_manifest.
        unlabeled: Folders of recordings of people speaking.
        allow_missing: Accept an incomplete RAVDESS.
        with_power: See prepare.

    Raises:
        CorpusError: Something is missing, or a row of the manifest cannot be used.
        AudioError: A clip is damaged.
    """
    tables, about = load_corpora(folders)
    if RAVDESS in tables and not allow_missing:
        check_complete(tables[RAVDESS])
    emotions = tuple(map(str, EMOTIONS))
    if manifest is not None:
        further = load_manifest(manifest)
        emotions += tuple(sorted(set(further["emotion"]) - set(emotions)))
        tables[manifest.name] = further
        about[manifest.name] = f"{len(further):,} clips of {len(set(further['speaker']))} speakers"
    if unlabeled:
        tables[UNLABELED] = load_unlabeled(unlabeled)
        about[UNLABELED] = f"{len(tables[UNLABELED]):,} clips without labels"
    table = concatenate_datasets([prepare(one, with_power and use_of(name) != "score") for name, one in tables.items()])
    clips = make_clips(table, emotions)
    _check_distinct(clips)
    return Corpora(clips, emotions, about, table)


def load_corpora(sources: Sequence[str | Path]) -> tuple[dict[str, Dataset], dict[str, str]]:
    """Find the clips of published corpora by their names; nothing is decoded.

    A corpus may lie in several folders, unpacked or in zip files, beside others, and twice: the copies of a download
    ("clip (1).wav") and of an archive that contains itself count once.

    Args:
        sources: Folders, zip files, or copies of RAVDESS on the Hub such as hf:xbgoose/ravdess.

    Returns:
        A table by the name of the corpus, and a line on each: what was found, and what was left out.

    Raises:
        CorpusError: A source does not exist, is damaged, or has no clips of a known corpus.
    """
    tables: dict[str, Dataset] = {}
    found = _Found()
    for source in map(str, sources):
        if source.startswith("hf:"):
            tables[RAVDESS] = load_hub_copy(source.removeprefix("hf:"))
            continue
        path = Path(source)
        if not path.exists():
            raise CorpusError(
                f"{path} does not exist. Give a folder with a corpus, or {HUB_COPY} for a copy on the Hub."
            )
        if not _search(path, found):
            titles = ", ".join(one.title for one in SOURCES.values())
            raise CorpusError(
                f"{path} has no clips of a corpus known here ({titles}). Get RAVDESS from {RAVDESS_PAGE}; "
                "train.py takes other clips with --extra MANIFEST.csv."
            )
    about = {}
    for name, published in SOURCES.items():
        places = dict(sorted(place for (corpus, _), place in found.places.items() if corpus == name))
        defects = {stem.lower() for stem in published.defects}
        kept = {stem: place for stem, place in places.items() if stem.lower() not in defects}
        if kept and name in tables:
            raise CorpusError(f"{published.title} lies in a folder and on the Hub. Give one of them.")
        if kept:
            votes = read_votes(sources) if name == "crema-d" else {}
            rows = [
                label_clip(name, stem) | {"votes": votes.get(stem.upper(), []), "path": kept[stem]} for stem in kept
            ]
            tables[name] = _make_dataset(rows)
        if name in tables:
            table = tables[name]
            dropped = len(places) - len(kept)
            about[name] = f"{published.title}: {len(table):,} clips of {len(set(table['speaker']))} speakers"
            about[name] += f"; {dropped} left out as silent, damaged or ambiguous" if dropped else ""
            copies = sum(corpus == name for corpus, _ in found.copies)
            about[name] += f"; {copies} copies count once" if copies else ""
    if found.passed_over:
        listed = ", ".join(f"{count} {ending}" for ending, count in found.passed_over.most_common())
        about["passed over"] = f"files that belong to no corpus known here: {listed}"
    return tables, about


def name_corpus(stem: str) -> str | None:
    """Return which of SOURCES names its clips like this, or None."""
    return next((name for name, one in SOURCES.items() if re.fullmatch(one.pattern, stem, re.IGNORECASE)), None)


def label_clip(corpus: str, stem: str) -> dict[str, Any]:
    """Return the labels that the name of a clip gives, as in FEATURES.

    Args:
        corpus: A name of SOURCES.
        stem: The name of the file without its ending.
    """
    source = SOURCES[corpus]
    match = re.fullmatch(source.pattern, stem, re.IGNORECASE)
    assert match is not None
    parts = {name: (part or "").upper() for name, part in match.groupdict().items()}
    emotion = {word.upper(): str(emotion) for word, emotion in source.emotions.items()}[parts["emotion"]]
    speaker = parts.get("speaker", "UNKNOWN")
    gender = {"M": Gender.MALE, "F": Gender.FEMALE}.get(parts.get("gender", ""))
    if source.women is not None:
        gender = Gender.FEMALE if speaker in source.women else Gender.MALE
    labels = {
        "file": stem if corpus == RAVDESS else f"{corpus}/{stem}",
        "corpus": corpus,
        "speaker": speaker if corpus == RAVDESS else f"{corpus}-{speaker[:12]}",
        "emotion": emotion,
        "intensity": {"1": "normal", "2": "strong", "LO": "normal", "HI": "strong"}.get(parts.get("intensity", ""), ""),
        "gender": str(gender or ""),
        "language": source.language,
        "is_acted": source.is_acted,
        "license": source.license,
        "is_song": parts.get("channel") == "2",
    }
    if corpus == "emospeech" and int(speaker, 16) % 2:  # half of the speakers validate, the others are heard unlabeled
        labels |= {"corpus": UNLABELED, "emotion": ""}
    return labels


@dataclass(frozen=True)
class RavdessName:
    """What the name of a RAVDESS clip says besides its labels."""

    intensity: Intensity
    statement: int  # 1 or 2
    repetition: int  # 1 or 2

    @classmethod
    def parse(cls, file: str) -> RavdessName:
        """Read a name such as 03-01-06-01-02-01-12.

        Raises:
            CorpusError: It is not the name of an audio-only RAVDESS clip.
        """
        match = re.fullmatch(SOURCES[RAVDESS].pattern, file)
        if not match:
            raise CorpusError(f"{file} is not named as RAVDESS names its audio-only clips (03-01-06-01-02-01-12).")
        return cls(INTENSITIES[int(match["intensity"]) - 1], int(match["statement"]), int(match["repetition"]))


def load_ravdess(source: str | Path, song: bool = True) -> Dataset:
    """Load RAVDESS alone; see load_corpora.

    Args:
        source: A folder, a zip file, or a copy on the Hub such as hf:xbgoose/ravdess.
        song: Whether to load the songs, too.

    Raises:
        CorpusError: There are no clips of RAVDESS.
    """
    table = load_corpora([source])[0].get(RAVDESS)
    if table is not None and not song:
        table = table.filter(lambda is_song: not is_song, input_columns="is_song")
    if not table:
        raise CorpusError(f"{source} has no clips of RAVDESS. Get Audio_Speech_Actors_01-24.zip from {RAVDESS_PAGE}.")
    return table


def load_hub_copy(name: str) -> Dataset:
    """Load a copy of RAVDESS on the Hub whose audio has the file names of RAVDESS."""
    copy = load_dataset(name, split="train").cast_column("audio", Audio(decode=False)).select_columns(["audio"])
    return copy.map(_label_hub_row, features=FEATURES).sort("file")


def load_manifest(path: Path) -> Dataset:
    """Load the clips that a CSV file in UTF-8 lists; nothing is decoded.

    The first line names the columns, in any order; others are ignored:

        path,emotion,speaker,gender,language
        clips/0001.wav,bored,anna,female,de

    A path starts at the manifest's folder. The emotion is one of the eight or a new one, in small letters. A speaker
    has the same name in all of their clips. The gender is male, female, or empty if unknown, the language an ISO 639
    code. The intensity is unknown.

    Raises:
        CorpusError: The file or a row cannot be used. The message names the row.
    """
    if not path.is_file():
        raise CorpusError(f"{path} does not exist. Give a CSV file with the columns {', '.join(MANIFEST_COLUMNS)}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            lines = [
                (reader.line_num, {name: (row.get(name) or "").strip() for name in MANIFEST_COLUMNS}) for row in reader
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} is not a CSV file in UTF-8. Save it as one.") from error
    missing = [name for name in MANIFEST_COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        columns = ", ".join(MANIFEST_COLUMNS)
        raise CorpusError(f"{path} lacks the column {missing[0]}. Its first line must name {columns}.")
    if not lines:
        raise CorpusError(f"{path} is empty. Add a line for each clip.")
    rows, seen, genders = [], dict[Path, int](), dict[str, tuple[str, int]]()
    for number, row in lines:
        clip = path.parent / row["path"]
        first = seen.setdefault(clip.resolve(), number)
        gender, named = genders.setdefault(row["speaker"], (row["gender"], number))
        problem = _find_problem(row, clip)
        if not problem and first != number:
            problem = f"{clip} is listed in row {first}, too. Remove one of them."
        if not problem and gender != row["gender"]:
            here, there = (one or "of unknown gender" for one in (row["gender"], gender))
            problem = f"{row['speaker']} is {here} here and {there} in row {named}. Correct one of them."
        if problem:
            raise CorpusError(f"{path}, row {number}: {problem}")
        labels = {name: row[name] for name in ("emotion", "gender", "language")}
        labels |= {"file": f"{path.name}:{number}", "corpus": path.name, "speaker": f"{path.name}-{row['speaker']}"}
        rows.append(_UNSTATED | labels | {"path": str(clip)})
    return _make_dataset(rows)


def load_unlabeled(folders: Sequence[Path]) -> Dataset:
    """Load recordings of people speaking, whatever their names; each counts as a speaker of its own."""
    places = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    places = [path for path in places if not path.name.startswith("._")]
    labeled = next((path for path in places if name_corpus(path.stem)), None)
    if labeled is not None:
        raise CorpusError(f"{labeled} is a clip of a known corpus by its name. Give its folder with --data.")
    if not places:
        raise CorpusError(f"{', '.join(map(str, folders))}: no .wav or .flac files. Give folders of recordings.")
    rows, known = [], Counter[str]()
    for path in places:
        name = f"{UNLABELED}/{path.parent.name}/{path.name}"
        known[name] += 1
        name += f"~{known[name]}" if known[name] > 1 else ""  # folders of the same name
        rows.append(_UNSTATED | {"file": name, "corpus": UNLABELED, "speaker": name, "path": str(path)})
    return _make_dataset(rows)


def read_votes(sources: Iterable[str | Path]) -> dict[str, list[float]]:
    """Read how the raters of CREMA-D heard each clip without seeing it, from tabulatedVotes.csv if it is there.

    Returns:
        The share of the votes for each of EMOTIONS by the name of the clip.
    """
    columns = {"N": Emotion.NEUTRAL, "H": Emotion.HAPPY, "S": Emotion.SAD, "A": Emotion.ANGRY, "F": Emotion.FEARFUL}
    columns["D"] = Emotion.DISGUST
    votes: dict[str, list[float]] = {}
    folders = [Path(source) for source in sources if Path(source).is_dir()]
    for path in (path for folder in folders for path in sorted(folder.rglob("tabulatedVotes.csv"))):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if row[""].startswith("1"):  # 1 heard, 2 saw, 3 did both
                    counts = np.zeros(len(EMOTIONS))
                    for letter, emotion in columns.items():
                        counts[emotion.class_index] = float(row[letter])
                    if counts.sum():
                        votes[row["fileName"]] = (counts / counts.sum()).tolist()
    return votes


def check_complete(ravdess: Dataset) -> None:
    """Check that the speech of all 24 actors is there: 4 neutral clips each and 8 of each other emotion.

    Raises:
        CorpusError: It names the gaps.
    """
    rows = zip(ravdess["speaker"], ravdess["emotion"], ravdess["is_song"], strict=True)
    have = Counter((actor, emotion) for actor, emotion, is_song in rows if not is_song)
    gaps = [
        f"actor {actor} {emotion}: {have[actor, emotion]} of {wanted}"
        for actor in ACTORS
        for emotion, wanted in CLIPS_PER_ACTOR.items()
        if have[actor, emotion] != wanted
    ]
    if gaps:
        more = f" and {len(gaps) - MAX_NAMED} more" if len(gaps) > MAX_NAMED else ""
        raise CorpusError(
            f"RAVDESS has {have.total()} of 1440 speech clips. Missing: {'; '.join(gaps[:MAX_NAMED])}{more}."
        )


_UNSTATED = {
    "emotion": "",
    "intensity": "",
    "gender": "",
    "language": "",
    "is_acted": False,
    "license": "",
    "is_song": False,
    "votes": [],
}


def _search(path: Path, found: _Found) -> int:
    """Add the clips in a folder or a zip file, and return their number; a place in a zip file is ZIP IN_ZIP MEMBER."""
    number = 0
    if path.is_file():
        if not zipfile.is_zipfile(path):
            raise CorpusError(f"{path} is not a zip file, or its download was interrupted. Fetch it again.")
        with zipfile.ZipFile(path) as opened:
            if any(member.flag_bits & 1 for member in opened.infolist()):
                raise CorpusError(f"{path} is locked with a password. Unpack it first.")
            files = [(name, f"{path}{IN_ZIP}{name}") for name in opened.namelist() if not name.endswith("/")]
    else:
        every = sorted(Path(folder, name) for folder, _, names in os.walk(path, followlinks=True) for name in names)
        hidden = [any(part.startswith(".") for part in place.relative_to(path).parts) for place in every]
        every = [place for place, is_hidden in zip(every, hidden, strict=True) if place.is_file() and not is_hidden]
        for archive in (place for place in every if place.suffix.lower() == ".zip"):
            number += _search(archive, found)
        files = [(str(place), str(place)) for place in every if place.suffix.lower() != ".zip"]
    for name, place in files:
        member = PurePosixPath(name)
        if member.name.startswith("._"):
            continue
        if place != place.encode("utf-8", "replace").decode():
            raise CorpusError(f"{place!a} has a name that is not UTF-8. Rename it.")
        stem = re.sub(r"( - Copy| - Kopie| copy)?( ?\(\d+\))?$", "", member.stem, flags=re.IGNORECASE)
        corpus = name_corpus(stem) if member.suffix.lower() in SUFFIXES else None
        if corpus is None:
            found.passed_over[member.suffix.lower() or "without an ending"] += 1
        else:
            if found.places.setdefault((corpus, stem.lower()), (stem, place))[1] != place:
                found.copies.add((corpus, place))
            number += 1
    return number


def _make_dataset(rows: list[dict[str, Any]]) -> Dataset:
    """Make a dataset of rows with a path each; a file that changes makes a new one."""
    changed = [Path(row["path"].partition(IN_ZIP)[0]).stat().st_mtime_ns for row in rows]
    return Dataset.from_generator(_yield_rows, features=FEATURES, gen_kwargs={"rows": rows, "changed": changed})


def _yield_rows(rows: list[dict[str, Any]], changed: list[int]) -> Iterator[dict[str, Any]]:
    archives: dict[str, zipfile.ZipFile] = {}
    for row, _ in zip(rows, changed, strict=True):
        labels = {name: value for name, value in row.items() if name != "path"}
        place, _, member = row["path"].partition(IN_ZIP)
        if member and place not in archives:
            archives[place] = zipfile.ZipFile(place)
        data = archives[place].read(member) if member else None
        yield {"audio": {"bytes": data, "path": member or place}, **labels}


def _label_hub_row(row: dict[str, Any]) -> dict[str, Any]:
    stem = PurePosixPath(row["audio"]["path"]).stem
    if not re.fullmatch(SOURCES[RAVDESS].pattern, stem, re.IGNORECASE):
        raise CorpusError(f"{stem} is not named as RAVDESS names its audio-only clips (03-01-06-01-02-01-12.wav).")
    return {**row, **label_clip(RAVDESS, stem), "votes": []}


def _find_problem(row: dict[str, str], clip: Path) -> str | None:
    """Return what is wrong with a row of a manifest, and what to do."""
    empty = [name for name in MANIFEST_COLUMNS if not row[name] and name != "gender"]
    emotion, gender, language = row["emotion"], row["gender"], row["language"]
    corpus = name_corpus(clip.stem)
    known = corpus and SOURCES[corpus].title
    problems = {
        f"{''.join(empty[:1])} is empty. Fill it in, or remove the row.": bool(empty),
        f"there is no file {clip}. Correct the path, which starts at the manifest's folder.": not clip.is_file(),
        f"{clip.name} is a clip of {known} by its name. Give {known} with --data, and remove the row.": bool(known),
        f"unknown gender {gender!r}. Write {' or '.join(GENDERS)}, or leave it empty.": gender not in (*GENDERS, ""),
        f"the emotion {emotion!r} must be a name in small letters, such as happy or bored.": (
            not re.fullmatch(r"[a-z]+([ _-][a-z]+)*", emotion)
        ),
        f"unknown language {language!r}. Write its ISO 639 code, such as en.": not re.fullmatch(
            r"[a-z]{2,3}", language
        ),
    }
    return next((problem for problem, holds in problems.items() if holds), None)


def _check_distinct(clips: list[Clip]) -> None:
    """Refuse a copy of a known clip under another name: it could be trained on where it is scored."""
    listed = [clip for clip in clips if clip.corpus not in SOURCES and clip.corpus != UNLABELED]
    known = {clip.waveform.tobytes(): clip.file for clip in clips if clip.corpus in SOURCES} if listed else {}
    for clip in listed:
        original = known.get(clip.waveform.tobytes())
        if original:
            raise CorpusError(f"{clip.file} is the recording {original} of a known corpus. Remove that row.")
