"""The same recording as other files: WAV of every kind, and what browsers and phones record, encoded in memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from ser_model.audio import SAMPLE_RATE

Samples = NDArray[np.floating[Any]]
Write = Callable[[Samples], bytes]  # (time,) at SAMPLE_RATE -> a file's bytes


def write_wav(subtype: str = "FLOAT", rate_hz: int = SAMPLE_RATE, channels: int = 1) -> Write:
    """WAV with these samples ("PCM_16", "PCM_32" or "FLOAT"), rate and channels; integers clip at full scale."""

    def write(waveform: Samples) -> bytes:
        samples = soxr.resample(waveform, SAMPLE_RATE, rate_hz) if rate_hz != SAMPLE_RATE else waveform
        file = io.BytesIO()
        sf.write(file, np.stack([samples] * channels, axis=1), rate_hz, format="WAV", subtype=subtype)
        return file.getvalue()

    return write


def write_ogg(waveform: Samples) -> bytes:
    """Ogg Vorbis at 48 kHz, of libsndfile's usual quality."""
    file = io.BytesIO()
    samples = soxr.resample(np.clip(waveform, -1, 1), SAMPLE_RATE, 48_000)
    sf.write(file, samples, 48_000, format="OGG", subtype="VORBIS")
    return file.getvalue()


@dataclass(frozen=True)
class Codec:
    """A lossy coding in its container, as FFmpeg names them."""

    encoder: str
    container: str
    bit_rate: int
    rate_hz: int = 48_000

    def __call__(self, waveform: Samples) -> bytes:
        """Encode (time,) samples at SAMPLE_RATE; louder than full scale is clipped."""
        samples = soxr.resample(np.clip(waveform, -1, 1).astype(np.float32), SAMPLE_RATE, self.rate_hz)
        file = io.BytesIO()
        with av.open(file, "w", format=self.container) as output:
            stream = output.add_stream(self.encoder, rate=self.rate_hz)
            assert isinstance(stream, av.AudioStream)
            context = stream.codec_context
            context.layout, context.bit_rate = "mono", self.bit_rate
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis]), "fltp", "mono")
            frame.sample_rate = self.rate_hz
            fit = av.AudioResampler(context.format, "mono", self.rate_hz, context.frame_size)
            for part in [*fit.resample(frame), *fit.resample(None), None]:
                output.mux(stream.encode(part))
        return file.getvalue()


def decode(data: bytes, container: str) -> Samples:
    """Decode a file of one channel that load_audio does not know, at its own rate."""
    with av.open(io.BytesIO(data), mode="r", format=container) as file:
        to_float = av.AudioResampler("flt", "mono")
        frames = [part for frame in file.decode(audio=0) for part in to_float.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])
