from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
from datasets import Audio, Dataset
from hypothesis import given
from hypothesis import strategies as st
from voice import RATE_HZ, speak

from ser_model.labels import EMOTIONS, UNKNOWN, Emotion
from ser_model.training.clips import make_clips, prepare
from ser_model.training.corpora import (
    SOURCES,
    UNLABELED,
    CorpusError,
    RavdessName,
    check_complete,
    label_clip,
    load_corpora,
    load_hub_copy,
    load_manifest,
    load_ravdess,
    name_corpus,
    read_corpora,
    use_of,
)

HEADER = "path,emotion,speaker,gender,language"
EVEN, ODD = "a" * 55 + "4", "b" * 55 + "7"  # users of EmoSpeech
Write = Callable[..., Path]

NAMES = {  # corpus, speaker, emotion, gender and intensity by name
    "03-01-06-01-02-01-12": ("ravdess", "12", "fearful", "female", "normal"),
    "03-02-05-02-01-02-23": ("ravdess", "23", "angry", "male", "strong"),
    "1001_DFA_ANG_XX": ("crema-d", "crema-d-1001", "angry", "male", ""),
    "1002_IEO_DIS_HI": ("crema-d", "crema-d-1002", "disgust", "female", "strong"),
    "1091_IEO_FEA_LO": ("crema-d", "crema-d-1091", "fearful", "female", "normal"),
    "1040_ITH_SAD_X": ("crema-d", "crema-d-1040", "sad", "male", ""),
    "KD0_surprised_12": ("nemo", "nemo-KD0", "surprised", "female", ""),
    "SK0_happiness_100": ("nemo", "nemo-SK0", "happy", "male", ""),
    "n1-01-01-02-05": ("ased", "ased-05", "neutral", "", ""),
    "f5-02-04-01-65": ("ased", "ased-65", "fearful", "", ""),
    "SM1_F01_A012": ("urdu", "urdu-SM1", "angry", "male", ""),
    "SF27_F10_S7": ("urdu", "urdu-SF27", "sad", "female", ""),
    "OAF_back_ps": ("tess", "tess-OA", "surprised", "female", ""),
    "OA_bite_neutral": ("tess", "tess-OA", "neutral", "female", ""),
    "YAF_youth_fear": ("tess", "tess-YA", "fearful", "female", ""),
    f"help-outdoor-calm-1570000000-{EVEN}": ("emospeech", f"emospeech-{'A' * 12}", "calm", "", ""),
    f"help-outdoor-angry-1570000000-{ODD}": (UNLABELED, f"emospeech-{'B' * 12}", "", "", ""),
    "12_kz_araba": ("turev-db", "turev-db-UNKNOWN", "angry", "", ""),
    "3_mt_elma": ("turev-db", "turev-db-UNKNOWN", "happy", "", ""),
}


def write_empty(folder: Path, names: Iterable[str]) -> Path:
    """Files that nobody decodes."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def files_of(tables: dict[str, Dataset]) -> dict[str, list[str]]:
    return {name: list(table["file"]) for name, table in tables.items()}


@pytest.mark.parametrize(("stem", "labels"), NAMES.items())
def test_the_name_of_a_published_clip_gives_its_labels(stem: str, labels: tuple[str, ...]) -> None:
    corpus, *others = labels
    source = name_corpus(stem)
    assert source is not None
    for spelled in (stem, stem.upper(), stem.lower()):
        row = label_clip(source, spelled)
        assert [row[name] for name in ("corpus", "speaker", "emotion", "gender", "intensity")] == [corpus, *others]
    published = SOURCES[source]
    assert (row["language"], row["license"], row["is_acted"]) == (
        published.language,
        published.license,
        source != "urdu",
    )
    assert row["is_song"] == stem.startswith("03-02")


@pytest.mark.parametrize("stem", [
    "03-01-09-01-02-01-12", "03-01-06-01-02-01-25", "01-01-06-01-02-01-12", "1001_DFA_BOR_XX", "2001_DFA_ANG_XX",
    "z1-01-01-02-05", "SX1_F01_A012", "OAF_back_bored", f"background-x-calm-1-{EVEN}", "help-x-calm-1-abc",
    "12_zz_araba",
])  # fmt: skip
def test_other_names_belong_to_no_corpus(stem: str) -> None:
    assert name_corpus(stem) is None


@given(st.tuples(*(st.integers(1, highest) for highest in (2, 8, 2, 2, 2, 24))))
def test_every_name_of_ravdess_is_read_back(parts: tuple[int, ...]) -> None:
    file = f"03-{'-'.join(f'{part:02d}' for part in parts)}"
    assert (name := RavdessName.parse(file)).statement == parts[3]
    row = label_clip("ravdess", file)
    assert (row["emotion"], row["intensity"], row["is_song"]) == (EMOTIONS[parts[1] - 1], name.intensity, parts[0] == 2)
    assert (name.repetition, int(row["speaker"])) == parts[4:]


def test_every_corpus_is_found_beside_others_and_told_with_what_was_passed_over(tmp_path: Path) -> None:
    names = [f"{labels[0]}/{stem}.wav" for stem, labels in NAMES.items()]
    tables, about = load_corpora([write_empty(tmp_path, [*names, "other/hello.wav", "other/1.flac", "readme.txt"])])
    assert set(tables) == set(SOURCES) == set(about) - {"passed over"}
    assert {file.split("/")[-1] for table in tables.values() for file in table["file"]} == set(NAMES)
    assert about["crema-d"] == "CREMA-D: 4 clips of 4 speakers"
    assert about["passed over"] == "files that belong to no corpus known here: 1 .flac, 1 .wav, 1 .txt"
    assert set(tables["emospeech"]["corpus"]) == {"emospeech", UNLABELED}
    with pytest.raises(CorpusError, match=r"other has no clips of a corpus known here \(RAVDESS, .*--extra MANIFEST"):
        load_corpora([tmp_path / "other"])


def test_known_defects_are_left_out_and_counted(tmp_path: Path) -> None:
    defects = {name: source.defects for name, source in SOURCES.items() if source.defects}
    assert {name: len(stems) for name, stems in defects.items()} == {"crema-d": 7, "tess": 2}
    kept = ["1001_DFA_ANG_XX.wav", "OA_bite_neutral.wav"]
    damaged = [f"{stem}.wav" for stems in defects.values() for stem in stems]
    for number, names in enumerate((damaged, [name.upper() for name in damaged], [name.lower() for name in damaged])):
        tables, about = load_corpora([write_empty(tmp_path / str(number), [*kept, *names])])
        assert files_of(tables) == {"crema-d": ["crema-d/1001_DFA_ANG_XX"], "tess": ["tess/OA_bite_neutral"]}
        assert about["crema-d"] == "CREMA-D: 1 clips of 1 speakers; 7 left out as silent, damaged or ambiguous"


def test_copies_of_a_clip_count_once(tmp_path: Path) -> None:
    once = ["1001_DFA_ANG_XX", "1001_DFA_HAP_XX"]
    folder = write_empty(tmp_path / "data", [f"AudioWAV/{stem}.wav" for stem in once])
    tables, about = load_corpora([folder])
    copies = [
        "archive/AudioWAV/1001_DFA_ANG_XX.wav",
        "1001_DFA_HAP_XX (1).wav",
        "1001_DFA_HAP_XX(2).wav",
        "1001_DFA_HAP_XX - Copy.wav",
        "1001_DFA_HAP_XX copy.wav",
    ]
    write_empty(folder, [*copies, "1001_dfa_ang_xx.WAV", "__MACOSX/._1001_DFA_ANG_XX.wav", "._1001_DFA_SAD_XX.wav"])
    with zipfile.ZipFile(folder / "AudioWAV.ZIP", "w") as archive:
        archive.write(folder / "AudioWAV" / f"{once[0]}.wav")
    doubled, same = load_corpora([folder, folder / "AudioWAV.ZIP", folder / "AudioWAV"])
    assert files_of(doubled) == files_of(tables) == {"crema-d": [f"crema-d/{stem}" for stem in once]}
    assert about == {"crema-d": "CREMA-D: 2 clips of 1 speakers"}
    assert same == {"crema-d": "CREMA-D: 2 clips of 1 speakers; 7 copies count once"}


def test_what_a_mac_leaves_is_nothing_a_link_is_followed_and_a_locked_zip_is_named(tmp_path: Path) -> None:
    folder = write_empty(tmp_path / "elsewhere", ["1001_DFA_ANG_XX.wav", "1001_DFA_HAP_XX.mp3"])
    data = tmp_path / "a::b"
    data.mkdir()
    (data / "linked").symlink_to(folder)
    (data / "1001_DFA_SAD_XX.wav").symlink_to(tmp_path / "gone.wav")
    write_empty(data, [".git/1001_DFA_DIS_XX.wav", ".git/HEAD"])
    (data / "._AudioWAV.zip").write_bytes(b"\0\5\x16\7")
    tables, about = load_corpora([data])
    assert files_of(tables) == {"crema-d": ["crema-d/1001_DFA_ANG_XX"]}
    assert about["passed over"].endswith("1 .mp3")
    with zipfile.ZipFile(data / "locked.zip", "w") as archive:
        archive.writestr("1001_DFA_ANG_XX.wav", b"")
    locked = bytearray((data / "locked.zip").read_bytes())
    locked[locked.index(b"PK\1\2") + 8] |= 1  # the flag of an encrypted member
    (data / "locked.zip").write_bytes(locked)
    with pytest.raises(CorpusError, match=r"locked.zip is locked with a password. Unpack it first."):
        load_corpora([data])


def test_zip_files_and_folders_mix(corpus_folder: Path, tmp_path: Path) -> None:
    folder = load_ravdess(corpus_folder)
    with zipfile.ZipFile(tmp_path / "Audio_Speech_Actors_01-24.zip", "w") as archive:
        for path in sorted(corpus_folder.rglob("*.wav")):
            if path.parent.name != "Actor_03":
                archive.write(path, f"{path.parent.name}/{path.name}")
    assert len(load_ravdess(tmp_path / "Audio_Speech_Actors_01-24.zip")) == 40
    shutil.copytree(corpus_folder / "Actor_03", tmp_path / "Actor_03")
    mixed = load_ravdess(tmp_path)
    for name in ("file", "emotion", "speaker", "gender", "intensity"):
        assert mixed[name][:] == folder[name][:]
    for row, same in ((mixed[5], folder[5]), (mixed[10], folder[10])):
        data = row["audio"]["bytes"] or Path(row["audio"]["path"]).read_bytes()
        assert data == Path(same["audio"]["path"]).read_bytes()


def test_a_folder_becomes_a_table_with_every_label(corpus_folder: Path) -> None:
    corpus = load_ravdess(corpus_folder)
    assert Counter(corpus["speaker"]) == dict.fromkeys(("02", "03", "05", "06", "09", "10"), 8)
    assert set(corpus["emotion"]) == set(EMOTIONS)
    assert Counter(corpus["gender"]) == {"male": 24, "female": 24}


def test_songs_can_be_left_out(tmp_path: Path) -> None:
    write_empty(tmp_path, ["03-01-01-01-01-01-01.wav", "03-02-01-01-01-01-01.wav"])
    assert [len(load_ravdess(tmp_path, song=song)) for song in (True, False)] == [2, 1]
    (tmp_path / "03-01-01-01-01-01-01.wav").unlink()
    with pytest.raises(CorpusError, match="has no clips of RAVDESS"):
        load_ravdess(tmp_path, song=False)


def test_a_hub_copy_gives_the_same_labels(corpus_folder: Path, tmp_path: Path) -> None:
    paths = sorted(str(path) for path in corpus_folder.rglob("*.wav"))
    copy = Dataset.from_dict({"audio": paths, "emotion": ["?"] * len(paths)}).cast_column("audio", Audio(decode=False))
    copy.to_parquet(tmp_path / "data" / "train-00000-of-00001.parquet")
    got, want = load_hub_copy(str(tmp_path)), load_ravdess(corpus_folder)
    assert got["file"][:] == want["file"][:]
    assert got["emotion"][:] == want["emotion"][:]
    assert got.features == want.features


def test_a_mistyped_folder_is_never_looked_up_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("ser_model.training.corpora.load_hub_copy", asked.append)
    for source in ("nowhere", "xbgoose/ravdess", "nowhere/at/all", "/nowhere"):
        with pytest.raises(CorpusError, match=r"does not exist.*hf:xbgoose/ravdess"):
            load_ravdess(source)
    assert asked == []
    with pytest.raises(CorpusError, match="zenodo"):
        load_ravdess(write_empty(tmp_path, ["1001_DFA_ANG_XX.wav"]))
    (tmp_path / "Audio.zip").write_bytes(b"PK cut off")
    with pytest.raises(CorpusError, match="Fetch it again"):
        load_ravdess(tmp_path)


def test_what_is_missing_of_ravdess_is_named(corpus_folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"48 of 1440.*actor 01 neutral: 0 of 4.* more"):
        check_complete(load_ravdess(corpus_folder))


def test_the_real_corpus_is_complete(shared: Path) -> None:
    corpus = load_ravdess(shared / "data/ravdess")
    check_complete(corpus)
    assert Counter(corpus["is_song"]) == {False: 1440, True: 1012}


def test_only_corpora_whose_license_allows_it_are_trained_on() -> None:
    assert {name for name in SOURCES if use_of(name) == "train"} == {"ravdess", "crema-d", "nemo"}
    assert {name for name in SOURCES if use_of(name) == "validate"} == {"emospeech", "turev-db"}
    assert (use_of(UNLABELED), use_of("more.csv")) == (UNLABELED, "train")


def test_every_corpus_is_documented_with_its_license_and_citation(project: Path) -> None:
    text = (project / "docs/training.md").read_text()
    for source in SOURCES.values():
        assert f"\n| {source.title} (" in text
        assert f" | {source.license} | {source.citation} |" in text


def test_the_votes_of_those_who_only_heard_a_clip_become_shares(tmp_path: Path) -> None:
    write_empty(tmp_path, ["1001_DFA_ANG_XX.wav", "1001_DFA_HAP_XX.wav"])
    rows = ["11,1,1001_DFA_ANG_XX,6,0,0,2,0,2", "21,1,1001_DFA_ANG_XX,0,9,0,0,0,0", "12,1,1001_DFA_HAP_XX,0,0,0,0,0,0"]
    (tmp_path / "tabulatedVotes.csv").write_text("\n".join([",x,fileName,A,D,F,H,N,S", *rows]) + "\n")
    votes = load_corpora([tmp_path])[0]["crema-d"]["votes"]
    shares = dict(zip(EMOTIONS, votes[0], strict=True))
    assert {emotion: share for emotion, share in shares.items() if share} == pytest.approx(
        {Emotion.ANGRY: 0.6, Emotion.HAPPY: 0.2, Emotion.SAD: 0.2}
    )
    assert votes[1] == []


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a manifest beside two clips."""
    for number, vowels in enumerate(("aeia", "ouou")):
        sf.write(tmp_path / f"{number}.wav", speak(vowels), RATE_HZ)

    def write_rows(*rows: str, header: str = HEADER) -> Path:
        (tmp_path / "more.csv").write_text("\n".join([header, *rows]) + "\n")
        return tmp_path / "more.csv"

    return write_rows


def test_a_manifest_adds_clips_and_classes_and_may_leave_the_gender_empty(write: Write, corpus_folder: Path) -> None:
    manifest = write("0.wav,sad,anna,female,de", "1.wav,bored,ben,,en")
    corpora = read_corpora([corpus_folder], manifest, allow_missing=True)
    assert corpora.emotions == (*EMOTIONS, "bored")
    assert corpora.about["more.csv"] == "2 clips of 2 speakers"
    labels: list[Any] = [
        (clip.emotion, clip.gender, clip.speaker, clip.intensity) for clip in corpora.clips if clip.corpus == "more.csv"
    ]
    assert labels == [(3, 1, "more.csv-anna", UNKNOWN), (8, UNKNOWN, "more.csv-ben", UNKNOWN)]
    assert len([clip for clip in corpora.clips if use_of(clip.corpus) == "train"]) == len(corpora.table) == 50


def test_unlabeled_clips_have_a_name_and_a_speaker_each_and_no_label(
    write: Write, corpus_folder: Path, tmp_path: Path
) -> None:
    folder = write().parent
    for home in ("one/clips", "two/clips"):
        (tmp_path / home).mkdir(parents=True)
        shutil.copy(folder / "0.wav", tmp_path / home)
    corpora = read_corpora([corpus_folder], unlabeled=[tmp_path], allow_missing=True, with_power=True)
    unlabeled = [clip for clip in corpora.clips if clip.corpus == UNLABELED]
    assert corpora.about[UNLABELED] == "4 clips without labels"
    assert {(clip.emotion, clip.gender, clip.intensity) for clip in unlabeled} == {(UNKNOWN, UNKNOWN, UNKNOWN)}
    assert len({clip.file for clip in unlabeled}) == len({clip.speaker for clip in unlabeled}) == 4
    assert all(clip.power is not None for clip in corpora.clips)
    with pytest.raises(CorpusError, match=r"no \.wav or \.flac files"):
        read_corpora([corpus_folder], unlabeled=[write_empty(tmp_path / "empty", ["x.txt"])], allow_missing=True)
    with pytest.raises(CorpusError, match="is a clip of a known corpus by its name"):
        read_corpora([corpus_folder], unlabeled=[corpus_folder], allow_missing=True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2.wav,sad,anna,female,de", r"row 3: there is no file .*2.wav. Correct the path"),
        ("1.wav,sad,anna,woman,de", r"row 3: unknown gender 'woman'. Write male or female, or leave it empty"),
        ("1.wav,,anna,female,de", r"row 3: emotion is empty. Fill it in"),
        ("1.wav,sad,anna", r"row 3: language is empty"),
        ("1.wav,Sad,anna,female,de", r"row 3: the emotion 'Sad' must be a name in small letters"),
        ("1.wav,sad,anna,female,German", r"row 3: unknown language 'German'. Write its ISO 639 code"),
        ("0.wav,sad,anna,female,de", r"row 3: .*0.wav is listed in row 2, too"),
        ("1.wav,sad,ben,female,de", r"row 3: ben is female here and male in row 2"),
        ("1.wav,sad,ben,,de", r"row 3: ben is of unknown gender here and male in row 2"),
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


def test_clips_of_known_corpora_are_refused_by_name_and_by_sound(
    corpus_folder: Path, write: Write, tmp_path: Path
) -> None:
    original = next(corpus_folder.rglob("*.wav"))
    for name, title in {original.name: "RAVDESS", "1001_DFA_ANG_XX.wav": "CREMA-D"}.items():
        (tmp_path / name).write_bytes(original.read_bytes())
        with pytest.raises(CorpusError, match=rf"row 2: .* is a clip of {title} by its name"):
            load_manifest(write(f"{name},sad,anna,female,en"))
    (tmp_path / "renamed.wav").write_bytes(original.read_bytes())
    with pytest.raises(CorpusError, match=f"more.csv:2 is the recording {original.stem} of a known corpus"):
        read_corpora([corpus_folder], write("renamed.wav,sad,anna,female,en"), allow_missing=True)


def test_a_damaged_clip_is_named_by_its_row(write: Write, tmp_path: Path) -> None:
    (tmp_path / "1.wav").write_text("dear reader")
    with pytest.raises(ValueError, match=r"more\.csv:3: "):
        make_clips(prepare(load_manifest(write("0.wav,sad,anna,female,de", "1.wav,sad,anna,female,de"))))
