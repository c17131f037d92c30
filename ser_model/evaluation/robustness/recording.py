"""One clip as it was recorded, with what a change of it may need: where the speech is, and other voices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_model.audio import Waveform


@dataclass(frozen=True)
class Recording:
    """A whole recording, with the silence around its speech.

    Attributes:
        waveform: (time,) at SAMPLE_RATE.
        speech: First and last sample of the speech.
        crowd: Speech of other actors, for babble; never one that is tested.
    """

    waveform: Waveform
    speech: tuple[int, int]
    crowd: tuple[Waveform, ...] = ()

    @property
    def speech_rms(self) -> float:
        """The level of the speech alone, so that noise is as loud however much silence surrounds it."""
        return float(np.sqrt(np.mean(self.waveform[slice(*self.speech)].astype(np.float64) ** 2)))


Changed = NDArray[np.floating[Any]]
Change = Callable[[Recording, np.random.Generator], Changed]  # -> (time,) at SAMPLE_RATE
