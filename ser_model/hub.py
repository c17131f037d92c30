"""The same network for transformers: AutoModelForAudioClassification and audio-classification pipelines read weights/.

Importing this module registers the classes, so do it before from_pretrained; serving the Space needs none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    BatchFeature,
    PreTrainedConfig,
    PreTrainedModel,
    SequenceFeatureExtractor,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from ser_model.audio import SAMPLE_RATE
from ser_model.cnn import CnnConfig, EmotionCnn, to_triple

MODEL_TYPE = "emotion_cnn"


class EmotionCnnConfig(PreTrainedConfig):
    """CnnConfig and Calibration as transformers keeps them, in config.json."""

    model_type = MODEL_TYPE

    towers: int | None = None
    channels: list[int] | None = None
    kernel: int = 5
    pools: list[int] | None = None
    attention: int = 64
    dropout: float = 0.1
    emotions: list[str] | None = None
    emotion_bias: list[float] | None = None
    temperature: float = 1.0
    gender_temperature: float = 1.0
    intensity_temperature: float = 1.0
    abstain_below: float = 0.0
    weights_sha256: str | None = None
    speaker_sha256: str | None = None

    def to_sizes(self) -> CnnConfig:
        """Return the sizes of the network."""
        usual = CnnConfig()
        return CnnConfig(
            self.towers or usual.towers,
            to_triple(self.channels or usual.channels),
            self.kernel,
            to_triple(self.pools or usual.pools),
            self.attention,
            self.dropout,
            tuple(self.emotions or usual.emotions),
        )


class EmotionFeatureExtractor(SequenceFeatureExtractor):
    """Pads waveforms to one length; the log-mel front end lies inside the network."""

    model_input_names = ["input_values", "attention_mask"]  # noqa: RUF012 - the name and form transformers asks for

    def __init__(
        self,
        feature_size: int = 1,
        sampling_rate: int = SAMPLE_RATE,
        padding_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(feature_size=feature_size, sampling_rate=sampling_rate, padding_value=padding_value, **kwargs)
        self.return_attention_mask = True

    def __call__(
        self,
        raw_speech: NDArray[np.float32] | Sequence[NDArray[np.float32]],
        sampling_rate: int | None = None,
        return_tensors: str | None = None,
        **_: Any,
    ) -> BatchFeature:
        """Make a batch.

        Args:
            raw_speech: One (time,) waveform, or several; cut to the speech span, as training was.
            sampling_rate: Must be 16,000 Hz; load_audio resamples.
            return_tensors: "pt" or "np".
        """
        if sampling_rate not in (None, self.sampling_rate):
            raise ValueError(
                f"The waveform has {sampling_rate} Hz; resample it to {self.sampling_rate} Hz with load_audio."
            )
        single = isinstance(raw_speech, np.ndarray) and raw_speech.ndim == 1
        waveforms = [np.asarray(one, dtype=np.float32) for one in ([raw_speech] if single else raw_speech)]
        return self.pad(BatchFeature({"input_values": waveforms}), padding=True, return_tensors=return_tensors)


class EmotionCnnForAudioClassification(PreTrainedModel):
    """EmotionCnn behind the interface of transformers; its logits are calibrated."""

    config_class = EmotionCnnConfig
    main_input_name = "input_values"

    def __init__(self, config: EmotionCnnConfig) -> None:
        super().__init__(config)
        self.network = EmotionCnn(config.to_sizes())
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        """Keep what the layers' own constructors made."""

    def forward(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Score (batch, time) waveforms at 16 kHz; the mask has ones on samples and zeros behind a clip's end."""
        lengths = None if attention_mask is None else attention_mask.sum(dim=1)
        logits = self.network(input_values, lengths).emotion
        bias = torch.tensor(self.config.emotion_bias or [0.0] * logits.shape[1], device=logits.device)
        logits = (logits + bias) / self.config.temperature
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def make_config(sizes: CnnConfig, **calibration: Any) -> EmotionCnnConfig:
    """Describe a network for config.json."""
    names = [str(emotion) for emotion in sizes.emotions]
    return EmotionCnnConfig(
        towers=sizes.towers,
        channels=list(sizes.channels),
        kernel=sizes.kernel,
        pools=list(sizes.pools),
        attention=sizes.attention,
        dropout=sizes.dropout,
        emotions=names,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        problem_type="single_label_classification",
        architectures=[EmotionCnnForAudioClassification.__name__],
        **calibration,
    )


AutoConfig.register(MODEL_TYPE, EmotionCnnConfig)
AutoFeatureExtractor.register(EmotionCnnConfig, EmotionFeatureExtractor)
AutoModelForAudioClassification.register(EmotionCnnConfig, EmotionCnnForAudioClassification)
