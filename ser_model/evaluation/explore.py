"""A page of plots of the corpus: counts, durations, loudness, pitch, and mean spectra by emotion."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import librosa
import numpy as np
from jinja2 import Template
from joblib import Parallel, delayed
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from tqdm import tqdm

from ser_model.evaluation.report import MEN
from ser_model.frontend import F_MAX_HZ, F_MIN_HZ, HOP, SAMPLE_RATE
from ser_model.labels import EMOTIONS, GENDERS
from ser_model.training.clips import Clip, make_clips, prepare
from ser_model.training.corpora import load_ravdess

PROCESSES, CHUNK = 2, 20  # clips that a process takes at a time
DPI = 144
N_MELS = 64
NUM_COLUMNS = 60  # that every spectrogram is stretched to
MIN_PITCH_HZ, MAX_PITCH_HZ = 60, 800
COLORS = (MEN, "#a56bd6")
PITCH_TICKS_HZ, MEL_TICKS_HZ = (80, 100, 150, 200, 300, 400, 600), (100, 300, 1000, 3000, 7000)
TEMPLATE = Path(__file__).with_name("templates") / "explore.html"


@dataclass(frozen=True)
class ClipFeatures:
    """What is plotted of the speech of one clip."""

    emotion: int  # class index, as is the next
    gender: int
    speaker: str
    duration_s: float
    level_db: float  # root mean square; 0 dB is full scale
    pitch_hz: float  # median over voiced frames; nan if none is voiced
    mel_db: NDArray[np.float64]  # (mel, column), stretched to NUM_COLUMNS


def main(argv: list[str]) -> int:
    """Plot the speech clips of RAVDESS on one page."""
    parser = argparse.ArgumentParser(prog="python -m ser_model explore", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for index.html and its plots")
    arguments = parser.parse_args(argv)
    print(plot_corpus(arguments.data, arguments.out))
    return 0


def plot_corpus(data: Path, out: Path, processes: int = PROCESSES, dpi: int = DPI) -> Path:
    """Plot a corpus, and return the path of the page."""
    clips = make_clips(prepare(load_ravdess(data, song=False)))
    run = Parallel(n_jobs=processes, batch_size=CHUNK, return_as="generator")
    computed = run(delayed(compute_features)(clip) for clip in clips)
    features = list(tqdm(computed, total=len(clips), desc="Measuring", unit="clip"))
    out.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for plot, draw in tqdm(PLOTS.items(), desc="Plotting", unit="plot"):
        with rc_context({"font.size": 11}):
            figure = draw(features)
            figure.savefig(out / f"{plot}.png", dpi=dpi)
        sizes[plot] = [round(side * dpi) for side in figure.get_size_inches()]
    page = Template(TEMPLATE.read_text(), autoescape=True).render(
        actors=len({one.speaker for one in features}),
        clips=len(features),
        minutes=sum(one.duration_s for one in features) / 60,
        rows=[_summarize(str(name), _select(features, emotion)) for emotion, name in enumerate(EMOTIONS)],
        sizes=sizes,
    )
    (out / "index.html").write_text(page, encoding="utf-8")
    return out / "index.html"


def compute_features(clip: Clip) -> ClipFeatures:
    """Compute what is plotted of a clip."""
    speech = clip.speech
    power = np.abs(librosa.stft(speech, n_fft=1024, hop_length=HOP)) ** 2  # (bin, frame)
    mel = librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=N_MELS, fmin=F_MIN_HZ, fmax=F_MAX_HZ)
    mel_db = librosa.power_to_db(mel, top_db=None)
    steps: dict[str, Any] = {"frame_length": 1024, "hop_length": 320, "resolution": 0.2}  # three times as fast as 0.1
    pitch, voiced, _ = librosa.pyin(speech, fmin=MIN_PITCH_HZ, fmax=MAX_PITCH_HZ, sr=SAMPLE_RATE, **steps)
    places = np.linspace(0, mel_db.shape[1] - 1, NUM_COLUMNS)
    return ClipFeatures(
        clip.emotion,
        clip.gender,
        clip.speaker,
        duration_s=speech.size / SAMPLE_RATE,
        level_db=float(10 * np.log10(np.mean(speech**2) + 1e-12)),
        pitch_hz=float(np.median(pitch[voiced])) if voiced.any() else float("nan"),
        mel_db=np.stack([np.interp(places, np.arange(mel_db.shape[1]), band) for band in mel_db]),
    )


def _summarize(name: str, clips: list[ClipFeatures]) -> list[str]:
    """Return a row of the table: emotion, clips, median duration, level, and pitch of men and of women."""
    men, women = ([one.pitch_hz for one in clips if one.gender == gender] for gender in range(len(GENDERS)))
    columns = (([one.duration_s for one in clips], 1), ([one.level_db for one in clips], 1), (men, 0), (women, 0))
    cells = []
    for values, digits in columns:
        known = [value for value in values if not np.isnan(value)]
        cells.append(f"{median(known):.{digits}f}".replace("-", "\N{MINUS SIGN}") if known else "\N{EN DASH}")
    return [name, str(len(clips)), *cells]


def _draw_counts(features: Sequence[ClipFeatures]) -> Figure:
    figure, axes = _by_emotion("clips", height=3.6)
    for gender in range(len(GENDERS)):
        counts = [len(_select(features, emotion, gender)) for emotion in range(len(EMOTIONS))]
        bars = axes.bar(_positions(gender), counts, width=0.36, color=COLORS[gender])
        axes.bar_label(bars, fontsize=9)
    return figure


def _draw_boxes(features: Sequence[ClipFeatures], name: str, unit: str) -> Figure:
    """Draw the distribution of an attribute by emotion and gender; nan is left out."""
    figure, axes = _by_emotion(unit, height=4.2)
    look: dict[str, Any] = {
        "widths": 0.32,
        "whis": (5, 95),
        "showfliers": False,
        "patch_artist": True,
        "manage_ticks": False,
    }
    for gender, color in enumerate(COLORS):
        groups = [_select(features, emotion, gender) for emotion in range(len(EMOTIONS))]
        values = [[value for one in group if not np.isnan(value := getattr(one, name))] for group in groups]
        line = {"color": color}
        paint: dict[str, Any] = {
            "boxprops": {"color": color, "facecolor": color},
            "whiskerprops": line,
            "capprops": line,
        }
        paint |= {"medianprops": {"color": "white", "linewidth": 2}}
        axes.boxplot(values, positions=_positions(gender), **look, **paint)
    if unit == "Hz":
        axes.set_yscale("log")
        axes.set_yticks(PITCH_TICKS_HZ, [str(hz) for hz in PITCH_TICKS_HZ])
        axes.set_yticks([], minor=True)
    return figure


def _draw_spectrograms(features: Sequence[ClipFeatures]) -> Figure:
    """Draw the mean mel spectrogram of each emotion, all on one scale."""
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    grid = figure.subplots(2, len(EMOTIONS) // 2, sharex=True, sharey=True)
    present = sorted({one.emotion for one in features})
    means = {emotion: np.mean([one.mel_db for one in _select(features, emotion)], axis=0) for emotion in present}
    low, high = np.quantile(np.stack(list(means.values())), [0.01, 0.99])
    look = {"origin": "lower", "aspect": "auto", "cmap": "magma", "extent": (0, 100, -0.5, N_MELS - 0.5)}
    for emotion, axes in enumerate(grid.flat):
        axes.set_title(EMOTIONS[emotion], fontsize=11)
        if emotion in means:
            image = axes.imshow(means[emotion], vmin=low, vmax=high, **look)
    centers_hz = librosa.mel_frequencies(N_MELS + 2, fmin=F_MIN_HZ, fmax=F_MAX_HZ)[1:-1]
    axes.set_yticks(np.interp(MEL_TICKS_HZ, centers_hz, range(N_MELS)), [str(hz) for hz in MEL_TICKS_HZ])
    figure.supxlabel("% of the speech", fontsize=11)
    figure.supylabel("Hz", fontsize=11)
    figure.colorbar(image, ax=grid, label="dB", shrink=0.8)
    return figure


def _by_emotion(unit: str, height: float) -> tuple[Figure, Axes]:
    """Make a figure with a place for each emotion and a legend for the genders."""
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots()
    axes.set_xticks(range(len(EMOTIONS)), EMOTIONS)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y")
    axes.set(axisbelow=True, ylabel=unit)
    patches = [Patch(color=color, label=f"{name} voices") for color, name in zip(COLORS, GENDERS, strict=True)]
    figure.legend(handles=patches, loc="outside upper right", ncols=2, frameon=False)
    return figure, axes


def _positions(gender: int) -> NDArray[np.float64]:
    return np.arange(len(EMOTIONS), dtype=np.float64) + 0.4 * gender - 0.2


def _select(features: Sequence[ClipFeatures], emotion: int, gender: int | None = None) -> list[ClipFeatures]:
    return [one for one in features if one.emotion == emotion and gender in (None, one.gender)]


PLOTS: dict[str, Callable[[Sequence[ClipFeatures]], Figure]] = {  # with their captions in the template
    "counts": _draw_counts,
    "durations": lambda features: _draw_boxes(features, "duration_s", "seconds"),
    "loudness": lambda features: _draw_boxes(features, "level_db", "dB"),
    "pitch": lambda features: _draw_boxes(features, "pitch_hz", "Hz"),
    "mel": _draw_spectrograms,
}
