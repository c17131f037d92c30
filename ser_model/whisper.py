"""The encoder of Whisper (Radford et al. 2022) in plain torch, as far as its middle layers.

It computes what the one of transformers does; importing that one takes seconds and 200 MB.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from ser_model.cnn import CONFIG_NAME, WEIGHTS_NAME
from ser_model.frontend import SAMPLE_RATE, squared_magnitude

WINDOW, HOP = 400, 160  # samples: 25 and 10 ms
MAX_S = 30.0  # of speech that it has positions for
RANGE = 8.0  # of the log-mel frames, in powers of ten below the loudest
PREFIXES = ("model.encoder.", "encoder.", "")  # of the encoder's tensors, by which part of Whisper was saved
LAYER_PARTS = {  # transformers' names of the parts of a layer, and those of torch
    "self_attn.out_proj": "self_attn.out_proj", "self_attn_layer_norm": "norm1",
    "fc1": "linear1", "fc2": "linear2", "final_layer_norm": "norm2",
}  # fmt: skip


class WhisperEncoder(nn.Module):
    """Waveform > log-mel > two convolutions > position > layers, without the usual padding to 30 s."""

    filters: Tensor

    def __init__(self, *, mels: int, width: int, heads: int, inner: int, positions: int, depth: int) -> None:
        super().__init__()
        with torch.device("cpu"):  # load builds it on the meta device, which has no values
            filters = melscale_fbanks(WINDOW // 2 + 1, 0.0, SAMPLE_RATE / 2, mels, SAMPLE_RATE, "slaney", "slaney")
        self.register_buffer("filters", filters.T.contiguous(), persistent=False)  # (mel, bin)
        self.conv1 = nn.Conv1d(mels, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.positions = nn.Parameter(torch.zeros(positions, width))
        layers = [
            nn.TransformerEncoderLayer(width, heads, inner, 0.0, F.gelu, batch_first=True, norm_first=True)
            for _ in range(depth)
        ]
        self.layers = nn.ModuleList(layers)

    @classmethod
    def load(cls, folder: Path, depth: int) -> tuple[WhisperEncoder, int]:
        """Read the convolutions and the first layers of a folder in the format of transformers, in any precision.

        Returns:
            The encoder and how many parameters it has with all of its layers.

        Raises:
            OSError, SafetensorError: A file is missing or damaged.
            KeyError, RuntimeError: It holds another network.
        """
        config = json.loads((folder / CONFIG_NAME).read_text())
        with torch.device("meta"):  # its random values would be overwritten
            encoder = cls(
                mels=config["num_mel_bins"],
                width=config["d_model"],
                heads=config["encoder_attention_heads"],
                inner=config["encoder_ffn_dim"],
                positions=config["max_source_positions"],
                depth=depth,
            )
        with safe_open(folder / WEIGHTS_NAME, framework="pt") as file:
            names = set(file.keys())
            prefix = next((one for one in PREFIXES if f"{one}conv1.weight" in names), PREFIXES[0])
            decoder = ("decoder.", "model.decoder.", "proj_out.")
            own = [name for name in names if name.startswith(prefix) and not name.startswith(decoder)]
            count = sum(math.prod(file.get_slice(name).get_shape()) for name in own)
            # a copy, because the file is mapped and could change on the disk
            tensors = _rename(lambda name: file.get_tensor(f"{prefix}{name}").float().clone(), depth)
        encoder.load_state_dict(tensors, assign=True)
        return encoder.eval(), count

    def forward(self, waveform: Tensor) -> list[Tensor]:
        """Map the first 30 s of (time,) at 16 kHz to (1, 20 ms frame, width): the first layer's input, all outputs."""
        features = self.log_mel(waveform[: round(MAX_S * SAMPLE_RATE)]).unsqueeze(0)
        frames = F.gelu(self.conv2(F.gelu(self.conv1(features)))).transpose(1, 2)
        states = [frames + self.positions[: frames.shape[1]]]
        for layer in self.layers:
            states.append(layer(states[-1]))
        return states

    def log_mel(self, waveform: Tensor) -> Tensor:
        """Map a (time,) waveform to (mel, 10 ms frame) features between -1 and about 2."""
        window = torch.hann_window(WINDOW, device=waveform.device)
        spectrum = torch.stft(waveform, WINDOW, HOP, window=window, return_complex=True)[:, :-1]
        logarithms = (self.filters @ squared_magnitude(spectrum)).clamp(min=1e-10).log10()
        return torch.maximum(logarithms, logarithms.max() - RANGE) / 4 + 1


def _rename(read: Callable[[str], Tensor], depth: int) -> dict[str, Tensor]:
    """Return the tensors under torch's names from a function that reads one under its name in transformers."""
    tensors = {f"{conv}.{kind}": read(f"{conv}.{kind}") for conv in ("conv1", "conv2") for kind in ("weight", "bias")}
    tensors["positions"] = read("embed_positions.weight")
    for number in range(depth):
        layer = f"layers.{number}."
        for theirs, ours in LAYER_PARTS.items():
            for kind in ("weight", "bias"):
                tensors[f"{layer}{ours}.{kind}"] = read(f"{layer}{theirs}.{kind}")
        query, value = (read(f"{layer}self_attn.{one}_proj.bias") for one in "qv")
        weights = [read(f"{layer}self_attn.{one}_proj.weight") for one in "qkv"]
        tensors[f"{layer}self_attn.in_proj_weight"] = torch.cat(weights)
        tensors[f"{layer}self_attn.in_proj_bias"] = torch.cat([query, torch.zeros_like(query), value])  # keys have none
    return tensors
