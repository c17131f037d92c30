"""The large model that the small one is compared with: loaded in the background, on first use only."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from ser_model.recognize import EmotionRecognizer, Prediction
from ser_model.wav2vec2 import ComparisonMissing, load_comparison

GPU_SECONDS = 30  # asked of a ZeroGPU Space for one clip
BROKEN = "The large model cannot be loaded; the reason stands in the log. The small one goes on."

logger = logging.getLogger(__name__)


class Rival:
    """Loads a recogniser in a thread of its own; while that lasts, and when it fails, everybody else goes on.

    Args:
        load: Returns the recogniser, or raises ComparisonMissing with what to do.
    """

    def __init__(self, load: Callable[[], EmotionRecognizer] = load_comparison) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._missing = ""
        self.recognizer: EmotionRecognizer | None = None

    def wait(self, seconds: float) -> bool:
        """Load it, if nobody has; wait for it and say whether it is ready.

        Raises:
            ComparisonMissing: A part of it is not on this machine, or broken; the next call looks again.
        """
        with self._lock:
            if self.recognizer is None and self._thread is None:
                self._missing = ""
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)
        if self._missing:
            raise ComparisonMissing(self._missing)
        return self.recognizer is not None

    def _run(self) -> None:
        try:
            self.recognizer = self._load()
        except ComparisonMissing as error:
            self._missing = str(error)
        except Exception:  # a thread's error ends nowhere: whoever waits would wait for ever
            logger.exception("the large model cannot be loaded")
            self._missing = BROKEN
        finally:
            self._thread = None


def on_gpu(function: Callable[[Path], Prediction]) -> Callable[[Path], Prediction]:
    """Ask a ZeroGPU Space for its GPU around a function; anywhere else the function stays as it is."""
    if not os.environ.get("SPACES_ZERO_GPU"):
        return function
    import spaces  # noqa: PLC0415 - only there does it do anything

    decorated: Callable[[Path], Prediction] = spaces.GPU(duration=GPU_SECONDS)(function)
    return decorated


rival = Rival()


@on_gpu
def hear(path: Path) -> Prediction:
    """Say how a recording sounds to the large model, which must be ready."""
    assert rival.recognizer is not None, "wait() comes first"
    return rival.recognizer.recognize(path)
