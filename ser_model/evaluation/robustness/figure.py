"""The suite as one picture: what stays unchanged, what it costs, who is heard how well, how sure answers are."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PASSED, FAILED, LIMIT = "#3f88c5", "#d1495b", "#222222"
RANDOM = 0.125

Row = dict[str, Any]


def draw_robustness(report: dict[str, Any]) -> Figure:
    """Draw the document that measure_robustness returns; parts that were not run stay empty."""
    rows = report["rows"]
    changed = [row for row in rows if "unchanged" in row]
    figure = Figure(figsize=(17, max(0.26 * len(changed) + 1.5, 9)), layout="constrained")
    unchanged, cost, right = figure.subplots(1, 3, width_ratios=(1.25, 0.8, 1.2))
    _draw_unchanged(unchanged, changed)
    _draw_cost(cost, changed, report["clean_uar"])
    right.remove()
    fairness, product, coverage = figure.add_subfigure(right.get_subplotspec()).subplots(3, 1, height_ratios=(5, 4, 4))
    _draw_fairness(fairness, [row for row in rows if row["group"] == "fairness"])
    _draw_product(product, [row for row in rows if "counts" in row])
    _draw_coverage(coverage, rows)
    passed = sum(row["pass"] for row in rows)
    figure.suptitle(
        f"Robustness on {report['clips']} clips by networks that never heard the actor: "
        f"{passed} of {len(rows)} checks passed (blue: passed, red: failed, black line: threshold)"
    )
    return figure


def _draw_unchanged(axes: Axes, rows: list[Row]) -> None:
    values = [100 * row["unchanged"] for row in rows]
    _draw_rows(axes, rows, values, [100 * row["threshold"]["unchanged"] for row in rows])
    for place, value in enumerate(values):
        axes.text(value - 1, place, f"{value:.1f}", ha="right", va="center", color="white", fontsize=7)
    axes.axvline(100 * RANDOM, color="grey", linestyle=":", linewidth=1)
    axes.text(100 * RANDOM + 0.5, -1, "random rater", color="grey", fontsize=7, va="center")
    axes.set_yticks(range(len(rows)), [f"{row['name']}  ({row['group']})" for row in rows], fontsize=8)
    axes.set_xlim(0, 100)
    axes.set_title("Answers unchanged, %", fontsize=10)


def _draw_cost(axes: Axes, rows: list[Row], clean_uar: float) -> None:
    limits = [row["threshold"]["uar_change"] for row in rows]
    values = [100 * row["uar_change"] for row in rows]
    _draw_rows(axes, rows, values, [None if limit is None else 100 * limit for limit in limits])
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_yticks([])
    axes.set_title(f"Change of the UAR, points (clean {100 * clean_uar:.1f} %)", fontsize=10)


def _draw_rows(axes: Axes, rows: list[Row], values: list[float], limits: list[float | None]) -> None:
    axes.barh(range(len(rows)), values, color=[_colour(row) for row in rows], height=0.7)
    for place, limit in enumerate(limits):
        if limit is not None:
            axes.plot([limit, limit], [place - 0.42, place + 0.42], color=LIMIT, linewidth=1.5)
    axes.set_ylim(len(rows) - 0.4, -1.6)


def _draw_fairness(axes: Axes, rows: list[Row]) -> None:
    colours = [_colour(row) for row in rows]
    axes.bar(range(len(rows)), [100 * row["uar"] for row in rows], color=colours)
    axes.set_xticks(range(len(rows)), [row["name"] for row in rows], rotation=90, fontsize=7)
    axes.set_ylim(0, 100)
    axes.set_title("UAR by group, % (red: off by more than chance)", fontsize=10)


def _draw_product(axes: Axes, rows: list[Row]) -> None:
    left = np.zeros(len(rows))
    for key, colour in (("refused", PASSED), ("not sure", "#9ec5e5"), ("answered", FAILED)):
        shares = np.array([100 * row["counts"][key] / sum(row["counts"].values()) for row in rows])
        axes.barh(range(len(rows)), shares, left=left, color=colour, label=key, height=0.7)
        left += shares
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=7)
    axes.set_xlim(0, 100)
    axes.invert_yaxis()
    if rows:
        axes.legend(fontsize=7, loc="lower left")
    axes.set_title("What is no speech, %", fontsize=10)


def _draw_coverage(axes: Axes, rows: list[Row]) -> None:
    for row in rows:
        if "coverage" in row:
            points = [(100 * point["answered"], 100 * point["accuracy"]) for point in row["coverage"]]
            axes.plot(*zip(*points, strict=True), color=PASSED, label="accuracy when so many are answered (x, %)")
            axes.plot([70], [100 * row["threshold"]["accuracy"]], "_", color=LIMIT, markersize=14, markeredgewidth=2)
        if "reliability" in row:
            points = [(100 * point["certainty"], 100 * point["right"]) for point in row["reliability"]]
            label = f"right when so certain (x, %); calibration error {row['ece']:.3f}"
            axes.plot(*zip(*points, strict=True), "o-", color="#8a4fbf", label=label)
    axes.plot([0, 100], [0, 100], color="grey", linestyle="--", linewidth=0.8)
    axes.set_ylim(0, 100)
    axes.legend(fontsize=7, loc="lower right")
    axes.set_title("Certainty, %", fontsize=10)


def _colour(row: Row) -> str:
    return PASSED if row["pass"] else FAILED
