"""The README's table of speed, memory and load, from the files that benchmarks/ wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NOTHING = "Not measured yet: `make bench` writes this table on a quiet machine."
TALLY = (
    "{{{0}[right]:,}} right answers, {{{0}[refused]}} told that the queue is full, "
    "{{{0}[swapped]}} swapped, {{{0}[failed]}} failed"
)
# what, its bar, and what was measured, for each file: the braces hold places in it
ROWS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "clip": (
        (
            "a clip of 4 s, from the bytes of a 48 kHz WAV to calibrated probabilities, one thread",
            "40 ms",
            "**{path_ms[bytes_to_answer]:.1f} ms**",
        ),
        ("the network with its features alone, warm", "8 ms", "**{beside_ms[network_with_features]:.1f} ms**"),
        (
            "how many times faster that is than librosa's MFCC, chroma, mel, ZCR and energy at 48 kHz (at 16 kHz)",
            "10",
            "**{times_faster[librosa_48_khz]:.0f}** ({times_faster[librosa_16_khz]:.0f})",
        ),
        (
            "... than the original network of 14 million parameters, fed 162 descriptors (fed 20)",
            "10",
            (
                "**{times_faster[original_network_162_descriptors]:.0f}** "
                "({times_faster[original_network_20_descriptors]:.0f})"
            ),
        ),
        (
            "... than an encoder of wav2vec2-base's size",
            "80",
            "**{times_faster[wav2vec2_base_sized_encoder]:.0f}**",
        ),
    ),
    "start": (
        (
            "`python app.py` to the page / to the first recognised clip, as multiples of `import torch, gradio` alone",
            "1.4 / 1.5",
            (
                "**{page_times_bare_import:.2f} / {first_clip_times_bare_import:.2f}** ({page_answers_s:.1f} / "
                "{first_clip_recognised_s:.1f} s, the import {import_torch_and_gradio_s:.1f} s)"
            ),
        ),
    ),
    "memory": (
        (
            "memory after {clips} clips, and growth over the last {growth_over_the_last}",
            "900 MB, 20 MB",
            "**{resident_mb:.0f} MB**, {growth_mb:.0f} MB",
        ),
    ),
    "mood": (
        (
            "a mood to film cards from the bundled list: endpoint / the page's two events",
            "60 ms",
            "**{median_ms[endpoint]:.0f} / {median_ms[page]:.0f} ms**",
        ),
    ),
    "recording": (
        ("a recording of 10 minutes with its timeline", "4 s", "**{seconds_to_answer[10 min]:.1f} s**"),
        (
            "ms for a second of audio, at 10 s, 1 and 10 minutes",
            "constant",
            "{ms_a_second_of_audio[10 s]:.1f}, {ms_a_second_of_audio[1 min]:.1f}, {ms_a_second_of_audio[10 min]:.1f}",
        ),
    ),
    "archive": (("an archive of {clips:,} clips, clips a second", "40", "**{clips_a_second:.0f}**"),),
    "load": (
        (
            "{staying[visitors]} visitors for {staying[seconds]:.0f} s, voices and moods: 95th percentile",
            "2 s, no error",
            f"**{{staying[p95_s]:.2f}} s**, {TALLY.format('staying')}",
        ),
        (
            "{at_once[visitors]} visitors at once; the next {afterwards[right]} afterwards: median",
            "none lost or swapped",
            f"{TALLY.format('at_once')}; {{afterwards[median_s]:.2f}} s",
        ),
    ),
}


def describe_speed(results: Path) -> str:
    """Write the table, a row for each figure whose file is there, and a note on where the time goes."""
    found = {name: document for name in ROWS if (document := _read(results / f"{name}.json"))}
    rows = [
        [*(cell.format_map(document) for cell in row), f"`{document['command']}`"]
        for name, document in found.items()
        for row in ROWS[name]
    ]
    rows += _describe_training(_read(results / "emobox" / "metrics.json"))
    if not rows:
        return NOTHING
    lines = ["| what | bar | measured | made by |", "|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    if found:
        lines += ["", _describe_machine(list(found.values()))]
    if "clip" in found:
        lines += ["", _describe_parts(found["clip"]["path_ms"]), "", _describe_cold(found["clip"])]
        served = _read(results / "served.json")
        lines += ["", _describe_integers(served)] if served and found["clip"]["integers"] else []
    return "\n".join(lines)


def _describe_training(metrics: dict[str, Any] | None) -> list[list[str]]:
    """Write the row of the training time; a run that took up earlier scores has none."""
    if metrics is None or metrics["minutes"] is None:
        return []
    what = f"training {len(metrics['folds'])} folds, one seed (the bar is for five)"
    return [[what, "30 minutes", f"**{metrics['minutes']:.1f} minutes**", f"`{metrics['command']}`"]]


def _describe_machine(documents: list[dict[str, Any]]) -> str:
    machines = sorted({f"{one['machine']['cores']} cores of {one['machine']['processor']}" for one in documents})
    dates = sorted({one["date"] for one in documents})
    when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    return f"Measured on {' and '.join(machines)}, {when}; each file in results/ has the versions."


def _describe_parts(path_ms: dict[str, float]) -> str:
    rest = path_ms["bytes_to_answer"] - path_ms["decoding"] - path_ms["finding_the_speech"]
    return (
        f"Where a clip's time goes: finding the speech {path_ms['finding_the_speech']:.1f} ms, decoding and resampling "
        f"{path_ms['decoding']:.1f} ms, network, features and calibration {rest:.1f} ms."
    )


def _describe_cold(clip: dict[str, Any]) -> str:
    times = clip["times_faster_cold"]
    return (
        "Called right behind one of the others, with the processor's caches full of that one's work, the network takes "
        f"{clip['beside_cold_ms']['network_with_features']:.1f} ms and is {times['librosa_48_khz']:.0f} times faster "
        f"than librosa's stack, {times['original_network_162_descriptors']:.0f} times faster than the original network."
    )


def _describe_integers(served: dict[str, Any]) -> str:
    return (
        f"These are the times of 8-bit integers. In them the networks of the Luna folds give "
        f"{100 * served['answers_unchanged']:.1f} % of the answers that they give in float32: UAR "
        f"{100 * served['served']['uar']:.1f} % and {100 * served['float32']['uar']:.1f} % (`{served['command']}`)."
    )


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None
