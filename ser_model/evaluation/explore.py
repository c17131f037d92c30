"""The corpus at a glance: every clip measured once, pictures drawn of it, and a page that shows them."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from statistics import median
from string import Template

from joblib import Parallel, delayed
from matplotlib import style
from tqdm import tqdm

from ser_model.evaluation.measures import Measures, measure_clip
from ser_model.evaluation.pictures import PICTURES, THEMES
from ser_model.labels import EMOTIONS, GENDERS, Emotion
from ser_model.training.clips import prepare_clips
from ser_model.training.ravdess import load_ravdess

PROCESSES = 2
CHUNK = 20  # clips that a process takes at a time
DPI = 144
CAPTIONS = {
    "counts": "How many clips there are of each emotion, by men and by women.",
    "durations": """How long the speech in a clip lasts, without the silence around it. The box holds the middle half of
        the clips, the line is the median, the whiskers leave out a twentieth at either end.""",
    "loudness": "Root mean square level of the speech; 0 dB is as loud as a file can be.",
    "pitch": "Median over the voiced moments of a clip (pYIN, 60 to 800 Hz); equal steps are equal intervals.",
    "mel": """Level by frequency, from the beginning of the speech to its end, averaged over the clips of an emotion;
        every clip is stretched to the same length first.""",
    "mfcc": """Mel-frequency cepstral coefficients averaged over a clip: how far an emotion lies from the mean of all
        clips, in standard deviations between clips.""",
    "chroma": """Share of each semitone of the octave in a clip: how far an emotion lies from the mean of all clips, in
        standard deviations between clips.""",
}
HEADINGS = {
    "counts": "Clips",
    "durations": "Duration",
    "loudness": "Loudness",
    "pitch": "Pitch",
    "mel": "Mean mel spectrogram",
    "mfcc": "Mean MFCC",
    "chroma": "Mean chroma",
}
PAGE = Template(Path(__file__).with_suffix(".html").read_text())
FIGURE = Template("""\
<figure>
<figcaption><h2>$heading</h2><p>$caption</p></figcaption>
<div class="wide" tabindex="0" role="region" aria-label="$heading">
<picture><source srcset="$name-dark.png" media="(prefers-color-scheme: dark)">
<img src="$name-light.png" width="$width" height="$height" loading="lazy" alt="$heading by emotion"></picture></div>
</figure>""")


def draw_corpus(data: Path, out: Path) -> Path:
    """Draw the speech part of a corpus, in light and dark.

    Args:
        data: Folder with RAVDESS.
        out: Folder for the pictures and the page; made when missing.

    Returns:
        The path of the page.

    Raises:
        CorpusError: There are no clips.
    """
    measures = _measure_corpus(data)
    out.mkdir(parents=True, exist_ok=True)
    figures = []
    for name, heading in tqdm(HEADINGS.items(), desc="Drawing", unit="picture"):
        for theme, colours in THEMES.items():
            with style.context(colours):
                figure = PICTURES[name](measures)
                figure.savefig(out / f"{name}-{theme}.png", dpi=DPI)
        width, height = (round(side * DPI) for side in figure.get_size_inches())
        size = {"width": width, "height": height}
        figures.append(FIGURE.substitute(size, name=name, heading=heading, caption=CAPTIONS[name]))
    page = out / "index.html"
    page.write_text(_write_page(measures, figures), encoding="utf-8")
    return page


def _measure_corpus(data: Path) -> list[Measures]:
    """Measure every clip, on two processes."""
    clips = prepare_clips(load_ravdess(data, ("speech",)))
    run = Parallel(n_jobs=PROCESSES, batch_size=CHUNK, return_as="generator")
    measures = run(delayed(measure_clip)(clip) for clip in clips)
    return list(tqdm(measures, total=len(clips), desc="Measuring", unit="clip"))


def _write_page(measures: list[Measures], figures: list[str]) -> str:
    actors = len({one.actor for one in measures})
    minutes = sum(one.duration_s for one in measures) / 60
    colours = {
        f"{name}_{part}": theme[key]
        for name, theme in THEMES.items()
        for part, key in (("page", "figure.facecolor"), ("ink", "text.color"))
    }
    return PAGE.substitute(
        colours,
        summary=f"{len(measures)} clips of {actors} actors, {minutes:.0f} minutes of speech.",
        rows="\n".join(_write_row(emotion, measures) for emotion in EMOTIONS),
        figures="\n".join(figures),
    )


def _write_row(emotion: Emotion, measures: list[Measures]) -> str:
    clips = [one for one in measures if one.emotion == emotion.class_index]
    men, women = ([one.pitch_hz for one in clips if one.gender == gender.class_index] for gender in GENDERS)
    cells = [
        str(len(clips)),
        _write_median([one.duration_s for one in clips], 1),
        _write_median([one.level_db for one in clips], 1),
        _write_median(men, 0),
        _write_median(women, 0),
    ]
    return f'<tr><th scope="row">{emotion}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _write_median(numbers: list[float], places: int) -> str:
    """Write the median, or a dash when nothing was measured."""
    known = [number for number in numbers if not isnan(number)]
    return f"{median(known):.{places}f}".replace("-", "\N{MINUS SIGN}") if known else "\N{EN DASH}"
