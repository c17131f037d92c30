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
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)

KINDS = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
    "hubert": (HubertConfig, HubertModel),
    "wavlm": (WavLMConfig, WavLMModel),
    "whisper": (WhisperConfig, WhisperModel),
}


def write_encoder(folder: Path, seed: int = 0, kind: str = "wav2vec2", dtype: torch.dtype = torch.float32) -> Path:
    """Save an encoder of six layers; its normal dropout and masking settings stay, as a real checkpoint's would."""
    torch.manual_seed(seed)
    make_config, make_model = KINDS[kind]
    if kind == "whisper":
        sizes = {"d_model": 48, "encoder_layers": 6, "encoder_attention_heads": 4, "encoder_ffn_dim": 64}
        sizes |= {"decoder_layers": 1, "decoder_attention_heads": 4, "decoder_ffn_dim": 64, "vocab_size": 64}
        sizes |= dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
        extractor = WhisperFeatureExtractor()
    else:
        sizes = {"hidden_size": 48, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 64}
        sizes |= {"conv_dim": (32,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
        extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    make_model(make_config(**sizes)).to(dtype).save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder
