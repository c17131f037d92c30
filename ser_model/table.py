"""Predictions as a table with one row a recording: the columns, their types, and writing CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_model.cnn import load_network
from ser_model.recognize import Prediction

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")
TEXT = {"file", "emotion", "gender", "intensity", "error"}
YES_OR_NO = {"sure"}
LEFT_OUT = {"probabilities", "speech", "timeline", "notice"}  # told by columns of their own, or longer than a row
FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # what makes a spreadsheet take text for a formula, also written wide

Row = dict[str, Any]


def describe_prediction(file: str, prediction: Prediction, duration_s: float) -> Row:
    """Return a recording's row; whatever a prediction says in one word or number becomes a column."""
    said = prediction.to_json()
    start_s, end_s = said["speech"]
    return {
        "file": file,
        "emotion": said["emotion"],
        "certainty": max(said["probabilities"].values()),
        **{name: value for name, value in said.items() if name not in LEFT_OUT},
        **{f"p_{label}": value for label, value in said["probabilities"].items()},
        "speech_start_s": start_s,
        "speech_end_s": end_s,
        "duration_s": round(duration_s, 2),
        "error": None,
    }


def describe_failure(file: str, error: str, duration_s: float | None = None) -> Row:
    """Return the row of a recording that cannot be judged; the columns that it lacks stay empty."""
    return {"file": file, "duration_s": duration_s and round(duration_s, 2), "error": error}


def read_labels(weights: Path) -> list[str]:
    """Return the emotions that a network knows, in the order of its classes.

    Raises:
        WeightsError: The weights are missing or damaged.
    """
    return [str(name) for name in load_network(weights).emotions]


def make_table(rows: Iterable[Row], labels: Sequence[str]) -> pd.DataFrame:
    """Put rows from describe_prediction and describe_failure together; see shape_table."""
    import pandas as pd  # noqa: PLC0415 - half a second, for tables alone

    return shape_table(pd.DataFrame(list(rows)), labels)


def shape_table(table: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Give a table the same columns and types whether all, some or none of its recordings could be judged.

    Args:
        table: One row a recording.
        labels: The emotions, from read_labels.
    """
    answers = ("emotion", "certainty", "sure", "gender", "gender_probability", "intensity", "intensity_probability")
    first = ["file", *answers]
    last = [*(f"p_{label}" for label in labels), "speech_start_s", "speech_end_s", "duration_s", "error"]
    others = [name for name in table.columns if name not in {*first, *last}]
    table = table.reindex(columns=[*first, *others, *last])
    return table.astype({name: _choose_type(name) for name in table.columns})


def check_place(path: Path) -> None:
    """Check, before anything is computed, that a table can be written there.

    Raises:
        ValueError: The name ends otherwise than a table's, or there is no such folder.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path} must end in {' or '.join(SUFFIXES)}.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent} for {path.name}. Make it first, or choose another one.")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a .csv or .parquet file; an interrupted run leaves no half of one."""
    part = path.with_name(f".{path.name}.part")
    try:
        if path.suffix.lower() == ".csv":
            table.map(defuse).to_csv(part, index=False)
        else:
            table.to_parquet(part, index=False)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def defuse(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run as a formula, such as the name of another's file."""
    return f"'{value}" if isinstance(value, str) and value.lstrip().startswith(FORMULA) else value


def _choose_type(column: str) -> str:
    """Name pandas' type with room for missing values."""
    if column in TEXT:
        return "string"
    return "boolean" if column in YES_OR_NO else "Float64"
