"""An archive through the command line: python -m benchmarks.archive [DIR] scores a folder, counts clips a second.

DIR is RAVDESS's 1,440 speech clips; without it as many made ones are written first. Writes results/archive.json.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import soundfile as sf

from benchmarks import report, voices

CLIPS = 1440
SUFFIXES = {".wav", ".flac"}
VOICES = 48  # different made ones


def main() -> None:
    """Score the folder as a user would, start of Python included, and write how long it took."""
    parser = report.read_options("archive", __doc__)
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="folder with recordings")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "clips"
        folder = options.folder or make_archive(made, 12 if options.small else CLIPS)
        numbers = time_archive(folder, Path(scratch) / "clips.parquet")
    command = f"python -m benchmarks.archive{' DIR' if options.folder else ''}"
    kind = "RAVDESS speech" if options.folder else "made voices of 4 s, 16 kHz FLAC"
    report.write(options.out, "archive", command, {"archive": kind, **numbers}, ("torch", "onnxruntime", "pandas"))


def make_archive(folder: Path, clips: int) -> Path:
    """Write so many made clips into a folder; return it."""
    folder.mkdir()
    waveforms = [voices.say(4, number) for number in range(min(clips, VOICES))]
    for number in range(clips):
        sf.write(folder / f"{number:04d}.flac", waveforms[number % len(waveforms)], 16_000)
    return folder


def time_archive(folder: Path, table: Path) -> dict[str, object]:
    """Run the command line; return clips, seconds and clips a second."""
    clips = sum(file.suffix in SUFFIXES for file in folder.rglob("*"))
    started = time.perf_counter()
    command = [sys.executable, "-m", "ser_model", "predict", folder, "--out", table]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - itself
    seconds = time.perf_counter() - started
    rows = pd.read_parquet(table)
    return {
        "clips": clips,
        "rows": len(rows),
        "judged": int(rows["speech_start_s"].notna().sum()),
        "seconds": round(seconds, 1),
        "clips_a_second": round(clips / seconds, 1),
    }


if __name__ == "__main__":
    main()
