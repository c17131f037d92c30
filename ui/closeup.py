"""What it heard: pictures of a recording on demand, each with plain words beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ser_model.audio import AudioError, load_audio
from ser_model.recognize import Prediction
from ui import texts
from ui.template import Shown, shown

OVER_TIME_S = 6.0  # clips from this length on show how the emotion changes

TEMPLATE = """
{{#if value.headline}}
<section class="closeup" aria-label="HEARD">
  <h2>{{value.headline}}</h2>
  {{#each value.figures}}
  <figure>
    <img src="{{this.image}}" alt="{{this.title}}">
    <figcaption><h3>{{this.title}}</h3><p>{{this.words}}</p></figcaption>
  </figure>
  {{/each}}
</section>
{{/if}}
""".replace("HEARD", texts.HEARD)


def show(path: str | None, heard: Prediction | None) -> Iterator[Shown]:
    """Draw a recording on the page: a word at once, then the pictures."""
    if path is None or heard is None:
        yield shown(headline=texts.NO_CLIP)
        return
    yield shown(headline=texts.DRAWING)
    try:
        yield shown(headline=texts.HEARD, figures=draw(path, heard))
    except (AudioError, FileNotFoundError):
        yield shown(headline=texts.GONE)


def draw(path: str | Path, heard: Prediction) -> list[dict[str, str]]:
    """Draw a recording from several sides.

    Args:
        path: The recording.
        heard: What the model said about it.

    Returns:
        For each picture its title, the picture as an address that holds it, and a few plain words.
    """
    from ui import plots  # noqa: PLC0415 - matplotlib and librosa, only when pictures are asked for

    waveform = load_audio(path)
    voice = plots.measure_voice(waveform, heard.speech)
    start_s, end_s = heard.speech
    pitched = voice.pitch_hz[np.isfinite(voice.pitch_hz)]
    low, high = np.percentile(pitched, [10, 90]) if pitched.size else (0.0, 0.0)
    figures = [
        ("waveform", plots.draw_waveform(waveform, heard.speech), {"start": start_s, "end": end_s}),
        ("mel", plots.draw_mel(waveform), {}),
        ("voice" if pitched.size else "unpitched", plots.draw_voice(voice), {"low": low, "high": high}),
        ("classic", plots.draw_classic(waveform), {}),
    ]
    if len(heard.timeline) > 1 and end_s - start_s > OVER_TIME_S:
        figures.insert(1, ("timeline", plots.draw_timeline(heard.timeline), {}))
    return [
        {"title": texts.FIGURES[name][0], "image": image, "words": texts.FIGURES[name][1].format(**facts)}
        for name, image, facts in figures
    ]
