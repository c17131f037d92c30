"""What a long recording costs, with its timeline: python -m benchmarks.recording times 10 s, 1 and 10 minutes.

From the bytes of a 16 kHz WAV to the answer. Writes results/recording.json.
"""

from __future__ import annotations

from benchmarks import report, voices
from ser_model.audio import RECORDING
from ser_model.recognize import EmotionRecognizer

LENGTHS_S = {"10 s": 10, "1 min": 60, "10 min": 600}
ROUNDS = 7


def main() -> None:
    """Time every length in turn, and write the medians and what a second of audio costs."""
    options = report.read_options("recording", __doc__).parse_args()
    rounds = 1 if options.small else ROUNDS
    recognizer = EmotionRecognizer.load()
    files = {name: voices.to_wav(voices.say(seconds), 16_000) for name, seconds in LENGTHS_S.items()}
    runs = {name: lambda file=file: recognizer.recognize(file, limits=RECORDING) for name, file in files.items()}
    took_ms = report.time_in_turn(runs, rounds, warm_up=1)
    windows = {name: len(run().timeline) for name, run in runs.items()}
    a_second = {name: round(ms / LENGTHS_S[name], 2) for name, ms in took_ms.items()}
    numbers = {
        "rounds": rounds,
        "seconds_to_answer": {name: round(ms / 1000, 3) for name, ms in took_ms.items()},
        "ms_a_second_of_audio": a_second,
        "dearest_times_cheapest": round(max(a_second.values()) / min(a_second.values()), 2),
        "windows": windows,
    }
    report.write(options.out, "recording", "python -m benchmarks.recording", numbers, ("torch", "onnxruntime"))


if __name__ == "__main__":
    main()
