"""The README's table of speed, memory and load, from the files that benchmarks/ wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAMES = ("clip", "start", "memory", "mood", "recording", "archive", "load")
Rows = list[tuple[str, str, str, str]]  # what, its bar, what was measured, the command


def describe_speed(results: Path) -> str:
    """Write the table, a row for each figure whose file is there, and a note on where the time goes."""
    found = {name: _read(results / f"{name}.json") for name in NAMES}
    training = _read(results / "luna" / "metrics.json")
    rows = [row for name, document in found.items() if document for row in ROWS[name](document)]
    rows += _training(training) if training else []
    lines = ["| what | bar | measured | made by |", "|---|---|---|---|"]
    lines += [f"| {what} | {bar} | {measured} | `{command}` |" for what, bar, measured, command in rows]
    documents = [document for document in found.values() if document]
    if documents:
        lines += ["", _machine(documents)]
    if found["clip"]:
        lines += ["", _parts(found["clip"])]
    return "\n".join(lines)


def _clip(document: Mapping[str, Any]) -> Rows:
    beside, faster, command = document["beside_ms"], document["times_faster"], document["command"]
    return [
        (
            "a clip of 4 s, from the bytes of a 48 kHz WAV to calibrated probabilities, one thread",
            "40 ms",
            f"**{document['path_ms']['bytes_to_answer']:.1f} ms**",
            command,
        ),
        ("of that the network with its features", "8 ms", f"**{beside['network_with_features']:.1f} ms**", command),
        (
            "how many times faster that is than librosa's MFCC, chroma, mel, ZCR and energy at 48 kHz (at 16 kHz)",
            "10",
            f"**{faster['librosa_48_khz']:.0f}** ({faster['librosa_16_khz']:.0f})",
            command,
        ),
        (
            "... than the original network of 14 million parameters, fed 162 descriptors (fed 20)",
            "10",
            f"**{faster['original_network_162_descriptors']:.0f}** ({faster['original_network_20_descriptors']:.0f})",
            command,
        ),
        (
            "... than an encoder of wav2vec2-base's size",
            "80",
            f"**{faster['wav2vec2_base_sized_encoder']:.0f}**",
            command,
        ),
    ]


def _start(document: Mapping[str, Any]) -> Rows:
    seconds = [document[name] for name in ("page_answers_s", "first_clip_recognised_s", "import_torch_and_gradio_s")]
    times = [document[name] for name in ("page_times_bare_import", "first_clip_times_bare_import")]
    return [
        (
            "`python app.py` to the page / to the first recognised clip, as multiples of `import torch, gradio` alone",
            "1.4 / 1.5",
            "**{:.2f}** / **{:.2f}** ({:.1f} / {:.1f} s, the import {:.1f} s)".format(*times, *seconds),
            document["command"],
        )
    ]


def _memory(document: Mapping[str, Any]) -> Rows:
    return [
        (
            f"memory after {document['clips']} clips, and growth over the last {document['growth_over_the_last']}",
            "900 MB, 20 MB",
            f"**{document['resident_mb']:.0f} MB**, {document['growth_mb']:.0f} MB",
            document["command"],
        )
    ]


def _mood(document: Mapping[str, Any]) -> Rows:
    median = document["median_ms"]
    return [
        (
            "a mood to film cards from the bundled list: endpoint / the page's two events",
            "60 ms",
            f"**{median['endpoint']:.0f}** / **{median['page']:.0f} ms**",
            document["command"],
        )
    ]


def _recording(document: Mapping[str, Any]) -> Rows:
    longest = max(document["seconds_to_answer"], key=int)
    a_second = ", ".join(f"{value:.1f}" for value in document["ms_a_second_of_audio"].values())
    return [
        (
            f"a recording of {int(longest) // 60} minutes with its timeline",
            "4 s",
            f"**{document['seconds_to_answer'][longest]:.1f} s**",
            document["command"],
        ),
        ("ms for a second of audio, at 10 s, 1 and 10 minutes", "constant", a_second, document["command"]),
    ]


def _archive(document: Mapping[str, Any]) -> Rows:
    return [
        (
            f"an archive of {document['clips']:,} clips, clips a second",
            "40",
            f"**{document['clips_a_second']:.0f}**",
            document["command"],
        )
    ]


def _load(document: Mapping[str, Any]) -> Rows:
    staying, rush, after = document["staying"], document["at_once"], document["afterwards"]
    return [
        (
            f"{staying['visitors']} visitors for {staying['seconds']:.0f} s, voices and moods: 95th percentile",
            "2 s, no error",
            f"**{staying['p95_s']:.2f} s**, {_count(staying)}",
            document["command"],
        ),
        (
            f"{rush['visitors']} visitors at once; the next {after['right']} afterwards: median",
            "none lost or swapped",
            f"{_count(rush)}; {after['median_s']:.2f} s",
            document["command"],
        ),
    ]


def _training(document: Mapping[str, Any]) -> Rows:
    if document["minutes"] is None:
        return []
    minutes = document["minutes"] / len(document["seeds"])
    return [("training five folds, one seed", "30 minutes", f"**{minutes:.1f} minutes**", document["command"])]


def _count(tally: Mapping[str, Any]) -> str:
    return (
        f"{tally['right']:,} right answers, {tally['refused']} told that the queue is full, "
        f"{tally['swapped']} swapped, {tally['failed']} failed"
    )


def _machine(documents: list[dict[str, Any]]) -> str:
    machines = sorted({f"{one['machine']['cores']} cores of {one['machine']['processor']}" for one in documents})
    dates = sorted({one["date"] for one in documents})
    when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    return f"Measured on {' and '.join(machines)}, {when}; each file in results/ has the versions."


def _parts(document: Mapping[str, Any]) -> str:
    path = document["path_ms"]
    rest = path["bytes_to_answer"] - path["decoding"] - path["finding_the_speech"]
    return (
        f"Where a clip's time goes: finding the speech {path['finding_the_speech']:.1f} ms, decoding and resampling "
        f"{path['decoding']:.1f} ms, network, features and calibration {rest:.1f} ms."
    )


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None


ROWS = {
    "clip": _clip,
    "start": _start,
    "memory": _memory,
    "mood": _mood,
    "recording": _recording,
    "archive": _archive,
    "load": _load,
}
