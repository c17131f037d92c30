from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from voice import speak

from ser_model.cnn import CnnConfig, EmotionCnn, save_network
from ser_model.hub import make_config
from ser_model.labels import EMOTIONS
from ser_model.recognize import EmotionRecognizer
from ser_model.table import describe_failure, describe_prediction, make_table, read_labels, write_table


@pytest.fixture
def good(untrained_weights: Path) -> dict[str, object]:
    return describe_prediction("good.wav", EmotionRecognizer.load(untrained_weights).hear(speak()), 2.345)


def test_everything_a_prediction_says_in_a_word_or_a_number_is_a_column(good: dict[str, object]) -> None:
    told = {name for name, value in good.items() if not isinstance(value, (str, bool, int, float, type(None)))}
    assert not told
    assert {"emotion", "certainty", "sure", "gender", "gender_probability", "duration_s", "error"} <= set(good)
    assert good["certainty"] == max(good[f"p_{emotion}"] for emotion in EMOTIONS)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_and_types_do_not_depend_on_what_could_be_judged(
    good: dict[str, object], tmp_path: Path, suffix: str
) -> None:
    bad = describe_failure("bad.wav", "No voice was heard.", 1.0)
    every, none = (make_table(rows, EMOTIONS) for rows in ([good, bad], [bad]))
    shared = [name for name in every.columns if name in none.columns]
    assert list(every[shared].dtypes) == list(none[shared].dtypes)
    write_table(tmp_path / f"table.{suffix}", every)
    again = pd.read_csv(tmp_path / "table.csv") if suffix == "csv" else pd.read_parquet(tmp_path / "table.parquet")
    assert again["error"].isna().tolist() == [True, False]
    assert again["emotion"].isna().tolist() == [False, True]
    assert again["duration_s"].tolist() == [2.35, 1.0]


def test_parquet_keeps_numbers_text_and_truth_apart(good: dict[str, object], tmp_path: Path) -> None:
    write_table(tmp_path / "none.parquet", make_table([describe_failure("bad.wav", "Bad.")], EMOTIONS))
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "none.parquet")}
    assert types["p_sad"] == types["duration_s"] == "double"
    assert types["sure"] == "bool"
    assert "string" in types["emotion"]


def test_the_labels_come_from_the_weights_in_the_order_of_their_classes(tmp_path: Path) -> None:
    network = EmotionCnn(CnnConfig(emotions=("neutral", "happy", "bored")))
    save_network(network, tmp_path)
    make_config(network.config).save_pretrained(tmp_path)
    assert read_labels(tmp_path) == ["neutral", "happy", "bored"]


def test_a_failed_writing_leaves_neither_half_a_table_nor_harm_to_the_old_one(
    good: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "table.csv"
    place.write_text("old")
    table = make_table([good], EMOTIONS)

    def fill_disk(_: pd.DataFrame, path: Path, **__: object) -> None:
        Path(path).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fill_disk)
    with pytest.raises(OSError, match="No space left"):
        write_table(place, table)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert place.read_text() == "old"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_file_name_is_never_a_formula_in_a_spreadsheet(tmp_path: Path, start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0.wav"
    write_table(tmp_path / "table.csv", make_table([describe_failure(name, "Bad.")], EMOTIONS))
    assert f"'{start}cmd" in (tmp_path / "table.csv").read_text()
