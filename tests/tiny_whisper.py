"""A Whisper small enough for tests, with random weights, and a head for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from ser_model.comparison import ComparisonHead, Encoder, HeadConfig, reference_waveform, save_head

JOIN = {"network_weight": 0.5, "head_weight": 1.0, "temperature": 1.0, "abstention_threshold": 0.0, "accuracies": []}
CALIBRATION = {"temperature": 1.0, "gender_temperature": 1.0, "abstention_threshold": 0.0, "join": JOIN}


def write_whisper(folder: Path, seed: int = 0, dtype: torch.dtype = torch.float32) -> Path:
    """Save a Whisper of three layers with its decoder, as the Hub has it."""
    torch.manual_seed(seed)
    sizes: dict[str, Any] = {f"{part}_layers": 3 for part in ("encoder", "decoder")}
    sizes |= {f"{part}_attention_heads": 4 for part in ("encoder", "decoder")}
    sizes |= {f"{part}_ffn_dim": 64 for part in ("encoder", "decoder")}
    special = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
    config = WhisperConfig(vocab_size=50, d_model=48, num_mel_bins=80, init_std=0.2, **sizes, **special)
    network = WhisperForConditionalGeneration(config)
    network.generation_config.eos_token_id = None
    network.to(dtype).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    return folder


def write_head(folder: Path, encoder: Path, name: str = "openai/whisper-base", seed: int = 0) -> Path:
    """Save a head with random weights for an encoder in a folder; its config.json calls the encoder by name."""
    torch.manual_seed(seed)
    loaded = Encoder.load(str(encoder))
    head = ComparisonHead(HeadConfig(name, loaded.layers, loaded.width))
    head.reference.copy_(loaded.embed(reference_waveform()))
    save_head(folder, head, CALIBRATION)
    return folder
