"""Makes what a learned voice needs beside the weights: the space in which speakers are moved to one centre."""

from __future__ import annotations

import numpy as np

from ser_model.cnn import EmotionCnn
from ser_model.speaker import SpeakerSpace
from ser_model.training.clips import Clip
from ser_model.training.fit import score_clips
from ser_model.training.folds import list_speech


def fit_space(network: EmotionCnn, clips: list[Clip]) -> SpeakerSpace:
    """Place the spoken clips that a network was trained on, speaker by speaker."""
    spoken = list_speech(clips)
    embedding = score_clips(network, spoken).embedding
    assert embedding is not None
    labels, speakers = (np.array([getattr(clip, name) for clip in spoken]) for name in ("emotion", "actor"))
    return SpeakerSpace.fit(embedding, labels, speakers, network.emotions)
