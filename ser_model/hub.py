"""EmotionCnn for transformers: AutoModelForAudioClassification and audio-classification pipelines can load weights/.

Importing this module registers the classes. For users without this package, register_for_auto_class makes
save_pretrained and push_to_hub copy the code: this file and what it imports. Those imports are relative, so that
transformers can follow them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForAudioClassification, Wav2Vec2FeatureExtractor
from transformers.configuration_utils import PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.modeling_utils import PreTrainedModel

from .cnn import CnnConfig, EmotionCnn
from .frontend import SAMPLE_RATE

MODEL_TYPE = "emotion_cnn"


class EmotionCnnConfig(PreTrainedConfig):
    """The fields of CnnConfig and Calibration in config.json."""

    model_type = MODEL_TYPE

    num_members: int | None = None
    channels: list[int] | None = None
    kernel: int | None = None
    pools: list[int] | None = None
    attention: int | None = None
    dropout: float | None = None
    emotions: list[str] | None = None
    class_bias: list[float] | None = None
    temperature: float = 1.0
    gender_temperature: float = 1.0
    intensity_temperature: float = 1.0
    abstention_threshold: float = 0.0
    enrolled_temperature: float | None = None
    enrolled_abstention_threshold: float | None = None
    accuracies: list[list[float]] | None = None


class EmotionCnnForAudioClassification(PreTrainedModel):
    """EmotionCnn with the interface of transformers and calibrated logits."""

    config_class = EmotionCnnConfig
    main_input_name = "input_values"

    def __init__(self, config: EmotionCnnConfig) -> None:
        super().__init__(config)
        self.network = EmotionCnn(CnnConfig.from_json(config.to_dict()))
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        """Keep the initialization of the layers' own constructors."""

    def forward(
        self, input_values: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **_: Any
    ) -> SequenceClassifierOutput:
        """Predict from (batch, time) speech spans at 16 kHz; the (batch,) class indices are for the loss."""
        lengths = None if attention_mask is None else attention_mask.sum(dim=1)
        logits = self.network(input_values, lengths).emotion
        if self.config.class_bias:
            logits = logits + torch.tensor(self.config.class_bias, device=logits.device)
        logits = logits / self.config.temperature
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def make_config(sizes: CnnConfig, **calibration: Any) -> EmotionCnnConfig:
    """Make the config.json of a network; calibration has the fields of Calibration."""
    names = [str(emotion) for emotion in sizes.emotions]
    lists = {"channels": list(sizes.channels), "pools": list(sizes.pools), "emotions": names}
    return EmotionCnnConfig(
        **asdict(sizes) | lists,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        problem_type="single_label_classification",
        architectures=[EmotionCnnForAudioClassification.__name__],
        **calibration,
    )


def make_feature_extractor() -> Wav2Vec2FeatureExtractor:
    """Make the preprocessor_config.json: padding and its mask only; the log-mel frontend is part of the network."""
    return Wav2Vec2FeatureExtractor(sampling_rate=SAMPLE_RATE, do_normalize=False, return_attention_mask=True)


AutoConfig.register(MODEL_TYPE, EmotionCnnConfig)
AutoFeatureExtractor.register(EmotionCnnConfig, Wav2Vec2FeatureExtractor)
AutoModelForAudioClassification.register(EmotionCnnConfig, EmotionCnnForAudioClassification)
