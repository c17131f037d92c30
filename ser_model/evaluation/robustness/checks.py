"""Every check of a changed recording: what is done, how its file is written, and what must hold.

Numbers and thresholds of small changes, noise, phone, tilt and room: audeering's ser-tests; of codec and format: ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from ser_model.evaluation.robustness import changes, noises, phone, rooms
from ser_model.evaluation.robustness.recording import Change
from ser_model.evaluation.robustness.sounds import make_cough, make_sneeze, make_white
from ser_model.training.formats import Codec, Write, write_ogg, write_wav

WAV = write_wav()


@dataclass(frozen=True)
class Check:
    """One change of every recording.

    Attributes:
        group: What it belongs to.
        name: What is done.
        parameters: With which numbers.
        unchanged: The share of answers that stay must be above this.
        uar_change: The UAR must change by more than this; None asks for nothing.
        change: Alters the sound.
        write: Makes a file of it, which load_audio reads again.
    """

    group: str
    name: str
    parameters: str
    unchanged: float
    uar_change: float | None = None
    change: Change = changes.keep
    write: Write = WAV


def _small(name: str, parameters: str, change: Change) -> Check:
    return Check("small", name, parameters, 0.95, change=change)


def _noise(name: str, parameters: str, change: Change) -> Check:
    return Check("noise", name, parameters, 0.90, -0.05, change)


def _codec(name: str, parameters: str, write: Write) -> Check:
    return Check("codec", name, parameters, 0.90, write=write)


def _format(name: str, parameters: str, write: Write) -> Check:
    return Check("format", name, parameters, 0.98, write=write)


CLEAN = Check("clean", "clean", "nothing changed", 0.0)
CHECKS = (
    _small("additive tone", "sine of 5 to 7 kHz, peak 40, 45 or 50 dB under the recording's", changes.add_tone),
    _small("append zeros", "100, 500 or 1000 samples", changes.append_zeros),
    _small("prepend zeros", "100, 500 or 1000 samples", changes.prepend_zeros),
    _small("clip", "0.1, 0.2 or 0.3 % of the samples", changes.clip_peaks),
    _small("crop beginning", "100, 500 or 1000 samples", changes.crop_beginning),
    _small("crop end", "100, 500 or 1000 samples", changes.crop_end),
    _small("gain", "-2, -1, 1 or 2 dB", changes.amplify((-2, -1, 1, 2))),
    _small("high-pass", "order 1, 50, 100 or 150 Hz", changes.pass_high),
    _small("low-pass", "order 1, 7500, 7000 or 6500 Hz", changes.pass_low),
    _small("white noise 35 to 45 dB", "SNR 35, 40 or 45 dB", noises.add_noise(make_white, (35, 40, 45))),
    _noise("babble", "4 to 7 training actors, 20 dB", noises.add_babble),
    _noise("environment", "synthetic pink, brown, hum or clicks, 20 dB", noises.add_environment),
    _noise("music", "synthetic, 20 dB", noises.add_music),
    _noise("white noise 20 dB", "SNR 20 dB", noises.add_noise(make_white, (20,))),
    _noise("cough", "one, synthetic, 10 dB", noises.add_burst(make_cough)),
    _noise("sneeze", "one, synthetic, 10 dB", noises.add_burst(make_sneeze)),
    Check("phone", "phone", "compressor, AMR-NB 7.4 kbit/s, hiss", 0.50, -0.05, phone.call_by_phone),
    _codec("WebM Opus 16", "16 kbit/s, 48 kHz", Codec("libopus", "webm", 16_000)),
    _codec("WebM Opus 32", "32 kbit/s, 48 kHz", Codec("libopus", "webm", 32_000)),
    _codec("WebM Opus 64", "64 kbit/s, 48 kHz", Codec("libopus", "webm", 64_000)),
    _codec("Ogg Opus 32", "32 kbit/s, 48 kHz", Codec("libopus", "ogg", 32_000)),
    _codec("Ogg Vorbis", "usual quality, 48 kHz", write_ogg),
    _codec("MP3 64", "64 kbit/s, 48 kHz", Codec("libmp3lame", "mp3", 64_000)),
    _codec("M4A AAC 64", "64 kbit/s, 48 kHz", Codec("aac", "mp4", 64_000)),
    Check("tilt", "tilt up", "amplitude from 1 at 0 Hz to 3 at 8 kHz", 0.80, -0.02, changes.tilt(3.0)),
    Check("tilt", "tilt down", "amplitude from 1 at 0 Hz to 0 at 8 kHz", 0.80, -0.02, changes.tilt(0.0)),
    *(
        Check(
            "room",
            f"room {rt60_s} s",
            f"RT60 {rt60_s} s, direct sound {rooms.measure_direct_db(rt60_s):.0f} dB above the echo",
            0.80,
            change=rooms.add_room(rt60_s),
        )
        for rt60_s in (0.2, 0.4, 0.8)
    ),
    Check("format", "ten times louder", "+20 dB, beyond full scale as float", 0.95, change=changes.amplify((20,))),
    Check("format", "ten times softer", "-20 dB", 0.95, change=changes.amplify((-20,))),
    _format("stereo", "two equal channels", write_wav(channels=2)),
    _format("8 kHz", "8 kHz, nothing above 4 kHz is left", write_wav(rate_hz=8_000)),
    _format("44.1 kHz", "44.1 kHz", write_wav(rate_hz=44_100)),
    _format("48 kHz", "48 kHz", write_wav(rate_hz=48_000)),
    _format("int16", "16-bit integers", write_wav("PCM_16")),
    _format("int32", "32-bit integers", write_wav("PCM_32")),
    _format("float", "32-bit floats", write_wav("FLOAT")),
)
