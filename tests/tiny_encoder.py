"""Speech encoders small enough for tests, with random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

KINDS = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
    "hubert": (HubertConfig, HubertModel),
    "wavlm": (WavLMConfig, WavLMModel),
}


def write_encoder(folder: Path, seed: int = 0, kind: str = "wav2vec2", dtype: torch.dtype = torch.float32) -> Path:
    """Save an encoder of six layers; its normal dropout and masking settings stay, as a real checkpoint's would."""
    torch.manual_seed(seed)
    make_config, make_model = KINDS[kind]
    config = make_config(
        hidden_size=48,
        num_hidden_layers=6,
        num_attention_heads=4,
        intermediate_size=64,
        conv_dim=(32,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    make_model(config).to(dtype).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder
