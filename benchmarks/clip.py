"""What a clip costs, from its bytes to the answer, and the network beside its rivals: python -m benchmarks.clip.

Everything hears the same made voice of four seconds, in turn, on one thread: warm, and once more with the caches as
the one before left them. Writes results/clip.json.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from threadpoolctl import threadpool_limits

from benchmarks import report, rivals, voices
from ser_model.audio import SAMPLE_RATE, load_audio
from ser_model.int8 import has_fast_int8
from ser_model.recognize import EmotionRecognizer
from ser_model.speech import SpeechDetector, SpeechSpan
from ser_model.wav2vec2 import Encoder
from ser_model.windows import score_windows

SECONDS, RATE_HZ = 4, 48_000
OURS = "network_with_features"
ROUNDS = 40
JUST_BEFORE = 3  # uncounted calls before each timed one

Runs = dict[str, Callable[[], object]]


def main() -> None:
    """Time everything in turn, and write medians and ratios."""
    options = report.read_options("clip", __doc__).parse_args()
    torch.set_num_threads(1)
    with torch.inference_mode(), threadpool_limits(1):  # the second for what NumPy calls
        numbers = time_clip(3 if options.small else ROUNDS)
    packages = ("torch", "torchaudio", "librosa", "silero-vad", "onnxruntime", "transformers")
    report.write(options.out, "clip", "python -m benchmarks.clip", numbers, packages)


def time_clip(rounds: int) -> dict[str, object]:
    """Time the whole path with its parts, and the network with its features beside its rivals."""
    file, recognizer = voices.to_wav(voices.say(SECONDS), RATE_HZ), EmotionRecognizer.load()
    original, encoder = rivals.OriginalNetwork().eval(), rivals.make_encoder()
    recognizer.recognize(voices.to_wav(voices.say(SECONDS - 1), RATE_HZ))  # integers favour the first length they meet
    runs = list_rivals(file, recognizer, original, encoder)
    warm = report.time_in_turn(runs, rounds, just_before=JUST_BEFORE)
    cold = report.time_in_turn(runs, rounds)
    return {
        "clip": {"seconds": SECONDS, "rate_hz": RATE_HZ, "form": "WAV, 16 bits, mono"},
        "threads": 1,
        "integers": has_fast_int8(),
        "rounds": rounds,
        "path_ms": report.time_in_turn(list_parts(file, recognizer), rounds, just_before=JUST_BEFORE),
        "beside_ms": warm,
        "times_faster": compare(warm),
        "beside_cold_ms": cold,
        "times_faster_cold": compare(cold),
        "parameters": {
            "network": recognizer.count_parameters(),
            "original": rivals.count_parameters(original),
            "encoder": encoder.count_parameters(),
        },
    }


def compare(took_ms: dict[str, float]) -> dict[str, float]:
    """Return how many times faster the network is than each of the others."""
    ours = took_ms[OURS]
    return {name: round(ms / ours, 1) for name, ms in took_ms.items() if name != OURS}


def list_parts(file: bytes, recognizer: EmotionRecognizer) -> Runs:
    """Return the whole path from a file to its answer, and its parts before the network."""
    waveform, detector = load_audio(file), SpeechDetector()
    return {
        "bytes_to_answer": lambda: recognizer.recognize(file),
        "decoding": lambda: load_audio(file),
        "finding_the_speech": lambda: detector.find(waveform),
    }


def list_rivals(file: bytes, recognizer: EmotionRecognizer, original: rivals.OriginalNetwork, encoder: Encoder) -> Runs:
    """Return the network with its features, and what it is compared with on the same file."""
    waveform, as_it_is = load_audio(file), voices.read_wav(file)
    heard, few, many = torch.from_numpy(waveform), torch.randn(1, 20), torch.randn(1, 162)
    span = SpeechSpan(0.0, waveform.size / SAMPLE_RATE, 0.0)
    return {
        OURS: lambda: score_windows(recognizer.network, waveform, span),
        "librosa_48_khz": lambda: rivals.stack_features(as_it_is, RATE_HZ),
        "librosa_16_khz": lambda: rivals.stack_features(waveform, 16_000),
        "original_network_162_descriptors": lambda: original(many),
        "original_network_20_descriptors": lambda: original(few),
        "wav2vec2_base_sized_encoder": lambda: encoder.describe(heard),
    }


if __name__ == "__main__":
    main()
