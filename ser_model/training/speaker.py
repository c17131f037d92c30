"""Makes what a learned voice needs beside the weights: python -m ser_model.training.speaker --data DIR."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ser_model.audio import AudioError
from ser_model.cnn import EmotionCnn, WeightsError, load_network
from ser_model.recognize import WEIGHTS
from ser_model.speaker import SPACE_NAME, SpeakerSpace
from ser_model.training.clips import Clip, prepare_clips
from ser_model.training.fit import score_clips
from ser_model.training.ravdess import load_ravdess


def fit_space(network: EmotionCnn, clips: list[Clip]) -> SpeakerSpace:
    """Place the spoken clips that a network was trained on, speaker by speaker."""
    spoken = [clip for clip in clips if not clip.is_song]
    embedding = score_clips(network, spoken).embedding
    assert embedding is not None
    labels, speakers = (np.array([getattr(clip, name) for clip in spoken]) for name in ("emotion", "actor"))
    return SpeakerSpace.fit(embedding, labels, speakers, network.emotions)


def main(argv: list[str] | None = None) -> int:
    """Write FOLDER/speaker.safetensors for the network in FOLDER, which was trained on everybody."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with RAVDESS")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FOLDER")
    arguments = parser.parse_args(argv)
    try:
        network = load_network(arguments.weights)
        fit_space(network, prepare_clips(load_ravdess(arguments.data, ("speech",)))).save(arguments.weights)
    except (AudioError, WeightsError, OSError, ValueError) as error:
        print(f"ser_model: {error}", file=sys.stderr)
        return 2
    print(arguments.weights / SPACE_NAME)
    return 0


if __name__ == "__main__":
    sys.exit(main())
