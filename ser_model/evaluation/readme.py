"""Puts the figures of results/ into README.md: python -m ser_model.evaluation.readme."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ser_model.evaluation.speed import describe_speed

PROJECT = Path(__file__).resolve().parents[2]
MARK = "<!-- {name}: python -m ser_model.evaluation.readme -->"
END = "<!-- end of {name} -->"
ROWS = {
    "luna": "new speakers, Luna folds (5 x 4 or 5 actors)",
    "emobox": "new speakers, EmoBox folds (6 x 4 actors)",
    "loso": "new speakers, one left out at a time",
    "random": "random split of clips, **speakers known**",
    "wav2vec2": "new speakers, Luna folds, frozen encoder and head",
    "permutation": "new speakers, Luna folds, **labels shuffled**: how near to chance it must be if nothing leaks",
    "classic-random-copies": "original recipe, random split of clips and copies, **copies on both sides: a leak**",
    "classic-random": "original recipe, random split of clips, **speakers known**",
    "classic": "original recipe, new speakers, Luna folds",
}

RECIPE = {"copies": "classic-random-copies", "clips": "classic-random", "actors": "classic"}
ORIGINAL = """\
The last three rows are one recipe, the one this project grew from (published as 81.57 %), scored in three ways. Split
at random over clips and their noisy, shifted, pitched and faster copies, {copies:.1f} % of its answers are right: a
copy of nearly every clip that is scored was learnt from. With copies kept together it is {clips:.1f} %: every speaker
was known. Of speakers it never heard it gets {actors:.1f} %. Only that says how it would do with your voice, and this
is why the headline is by actor."""


CHANGES = {
    "small": "hardly audible changes",
    "noise": "noise at 20 dB, a cough or sneeze at 10 dB (synthetic)",
    "phone": "poor telephone line",
    "codec": "WebM, Ogg, MP3, M4A",
    "tilt": "bright or dull microphone",
    "room": "echo of rooms, 0.2 to 0.8 s",
    "format": "level, rate, width, channels",
    "product": "what is no speech, too short or long",
    "fairness": "sex, pitch, statement, intensity, actor",
    "calibration": "certainty",
}
VOICES = {
    "none": "nothing known of the speaker",
    "one": "after one neutral clip",
    "eight": "after eight guided clips, one of each emotion",
    "unlabelled": "the speaker's own clips at hand, unlabelled (transductive)",
}


def make_table(results: Path) -> str:
    """Write the ladder as a Markdown table, a row for each folder of results that has metrics.json.

    The other rows are published: human listeners and chance (Livingstone & Russo 2018), the best network trained from
    scratch (Krasnoproshin & Vashkevich 2026), a frozen 300M-parameter encoder (Sohail 2026).
    """
    measured = {name: _read(results / name / "metrics.json") for name in ROWS}
    found = {name: metrics for name, metrics in measured.items() if metrics}
    lines = ["| RAVDESS speech, 8 emotions | UAR % | accuracy % | made by |", "|---|---|---|---|"]
    lines += ["| chance | 12.5 | 12.5 | |", "| human listeners | | 62.4 | published |"]
    lines += ["| best network trained from scratch, mean of 10 runs, Luna folds | 62.3 | | published |"]
    lines += ["| frozen XLS-R, 300M parameters, one speaker left out at a time | 81.9 | 81.7 | published |"]
    recipe = found["luna"]["settings"] if "luna" in found else {}
    lines += [_write_row(name, metrics, recipe) for name, metrics in found.items()]
    if "luna" in found:
        lines += ["", _write_details(found["luna"])]
    if all(name in found for name in RECIPE.values()):
        lines += ["", ORIGINAL.format(**{key: 100 * found[name]["accuracy"] for key, name in RECIPE.items()})]
    return "\n".join(lines)


def describe_robustness(results: Path) -> str:
    """Write the robustness suite as a table, a row for each group, and say which bars hold."""
    report = _read(results / "robustness.json")
    if not report:
        return ""
    lines = [
        "| what changes | checks passed | random rater | answers unchanged %, least to most |",
        "|---|---|---|---|",
    ]
    for name, group in report["groups"].items():
        kept = [100 * row["unchanged"] for row in report["rows"] if row["group"] == name and "unchanged" in row]
        spread = f"{min(kept):.0f} to {max(kept):.0f}" if kept else ""
        passed, random = (f"{group[key]} of {group['checks']}" for key in ("passed", "random_rater_passed"))
        lines.append(f"| {CHANGES[name]} | {passed} | {random} | {spread} |")
    bars = [f"{one['what']} {one['value']:.3f} ({_compare(one)})" for one in report["bars"].values()]
    heard = f"On {report['clips']} clips, clean UAR {100 * report['clean_uar']:.1f} %: {'; '.join(bars)}."
    if "clean_as_in_the_folds" in report:
        same = f"{100 * report['clean_as_in_the_folds']:.1f} %"
        heard += f" Of the clean clips {same} get the answer of the folds, where no background is taken away."
    links = "[Every check](results/robustness.json), [figure](results/robustness.png)"
    return "\n".join([*lines, "", f"{heard} {links}: `{report['command']}`"])


def describe_voices(results: Path) -> str:
    """Write what a learned voice is worth as a Markdown table, from results/baseline.json."""
    report = _read(results / "baseline.json")
    if not report:
        return ""
    lines = ["| new speakers, Luna folds | UAR % | gain in points, by fold | calibration error |", "|---|---|---|---|"]
    for kind, words in VOICES.items():
        row = report["rows"][kind]
        gains = ", ".join(f"{100 * gain:+.1f}" for gain in row["gain_by_fold"].values())
        gain = "" if kind == "none" else f"{100 * row['gain']:+.1f} ({gains})"
        lines.append(f"| {words} | {100 * row['uar']:.1f} | {gain} | {row['ece']:.3f} |")
    seeds = "one seed" if report["seeds"] == 1 else f"mean of {report['seeds']} seeds"
    return "\n".join([*lines, "", f"The gain is over the same clips without; {seeds} (`{report['command']}`)."])


def update_readme(readme: Path, results: Path) -> bool:
    """Replace what stands between the marks; return whether anything changed."""
    old = new = readme.read_text()
    parts = {
        "figures": make_table(results),
        "robustness": describe_robustness(results),
        "voices": describe_voices(results),
        "speed": describe_speed(results),
    }
    for name, text in parts.items():
        begin, end = MARK.format(name=name), END.format(name=name)
        before, _, rest = new.partition(begin)
        new = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    readme.write_text(new)
    return new != old


def _compare(bar: dict[str, Any]) -> str:
    return f"the bar is {bar['bar']}: {'holds' if bar['holds'] else 'does not hold'}"


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None


def _write_row(name: str, metrics: dict[str, Any], recipe: dict[str, Any]) -> str:
    low, high = (100 * edge for edge in metrics["uar_interval_95"])
    uar = f"**{100 * metrics['uar']:.1f}** ({low:.1f} to {high:.1f})"
    what = ROWS[name] + (_describe_networks(metrics, recipe) if metrics["model"] == "cnn" else "")
    return f"| this project: {what} | {uar} | {100 * metrics['accuracy']:.1f} | `{metrics['command']}` |"


def _describe_networks(metrics: dict[str, Any], recipe: dict[str, Any]) -> str:
    """Say how many networks make up a model, and whether they were trained otherwise than those of the headline."""
    count = len(metrics["models"][0])
    joined = ", one network" if count == 1 else f", {count} networks joined"
    same = all(metrics["settings"].get(name) == value for name, value in recipe.items() if name != "epochs")
    return joined if same else f"{joined}, by an earlier recipe"


def _write_details(metrics: dict[str, Any]) -> str:
    recalls = ", ".join(f"{name} {100 * value:.0f}" for name, value in metrics["recall"].items())
    worst, share = metrics["worst_actor"]
    voice, answered = metrics["gender"], metrics["accuracy_when_abstaining_on_30_percent"]
    spread = [100 * metrics[f"{name}_deviation_over_seeds"] for name in ("uar", "accuracy")]
    return (
        f"Of the Luna folds: standard deviation over the {len(metrics['models'])} models {spread[0]:.1f} points of UAR "
        f"and {spread[1]:.1f} of accuracy; one network alone has {100 * metrics['networks_alone']['uar']:.1f} UAR. "
        f"Recall in % by emotion: {recalls}. Worst actor ({worst}): {100 * share:.0f} %. "
        f"When it may leave the least sure 30 % unanswered, {100 * answered:.1f} % of its answers are right. "
        f"Expected calibration error {metrics['ece']:.3f}. "
        f"Voice gender {100 * voice['accuracy']:.1f} %, worst actor ({voice['worst_actor'][0]}) "
        f"{100 * voice['worst_actor'][1]:.0f} %. "
        f"Intensity, normal or strong (chance 50 %; neutral, always normal, left out): "
        f"{100 * metrics['intensity']['accuracy_without_neutral']:.1f} %."
    )


if __name__ == "__main__":
    changed = update_readme(PROJECT / "README.md", PROJECT / "results")
    print("README.md has new figures." if changed else "README.md agrees with results/.", file=sys.stderr)
