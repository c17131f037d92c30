"""What a long recording costs, with its timeline: python -m benchmarks.recording times 10 s, 1 and 10 minutes.

From the bytes of a 16 kHz WAV to the answer. Writes results/recording.json.
"""

from __future__ import annotations

from benchmarks import report, voices
from ser_model.audio import RECORDING
from ser_model.recognize import EmotionRecognizer

LENGTHS_S = (10, 60, 600)
ROUNDS = 7


def main() -> None:
    """Time every length in turn, and write the medians and what a second of audio costs."""
    options = report.read_options("recording", __doc__).parse_args()
    lengths, rounds = ((10, 30), 1) if options.small else (LENGTHS_S, ROUNDS)
    recognizer = EmotionRecognizer.load()
    files = {seconds: voices.to_wav(voices.say(seconds), 16_000) for seconds in lengths}
    runs = {str(s): lambda file=file: recognizer.recognize(file, limits=RECORDING) for s, file in files.items()}
    took = report.time_in_turn(runs, rounds, warm_up=1)
    windows = {str(s): len(recognizer.recognize(file, limits=RECORDING).timeline) for s, file in files.items()}
    a_second = {seconds: round(ms / int(seconds), 2) for seconds, ms in took.items()}
    numbers = {
        "rounds": rounds,
        "seconds_to_answer": {seconds: round(ms / 1000, 3) for seconds, ms in took.items()},
        "ms_a_second_of_audio": a_second,
        "dearest_times_cheapest": round(max(a_second.values()) / min(a_second.values()), 2),
        "windows": windows,
    }
    report.write(options.out, "recording", "python -m benchmarks.recording", numbers, ("torch", "onnxruntime"))


if __name__ == "__main__":
    main()
