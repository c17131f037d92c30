"""The towers in 8-bit integers, for a network that learns no more: sooner, with nearly the same answers.

results/served.json has how near. Scales come from the batch normalisations: they say how far what a convolution gives
spreads, so no clip is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ser_model.blocks import ConvBlock, summarise_frames
from ser_model.cnn import EmotionCnn, Logits, Towers

REACH = 5.0  # deviations from a mean that 8 bits hold; further out is cut off: at 4 it shows, 8 is 1.6 times as coarse
LEVELS = 255  # steps of 8 bits
HALF = 128  # the step that stands for zero in what is standardised


def hasten(network: EmotionCnn) -> EmotionCnn:
    """Make a network that learns no more answer sooner, where the processor is fast at 8-bit integers.

    From then on it hears clips of one length at a time, as score_windows gives them, and is no more to be saved,
    joined or moved to another device.
    """
    if isinstance(network.towers, Towers) and has_fast_int8():
        network.towers = Int8Towers(network.towers)
    return network


def has_fast_int8() -> bool:
    """Return whether the processor has AVX-512 VNNI, which adds up products of 8-bit integers exactly and in one step.

    It is what PyTorch asks for; on others its kernels add up in 16 bits, which these weights would overflow.
    """
    return bool(torch.cpu.get_capabilities().get("avx512_vnni", False))


class Int8Towers(nn.Module):
    """Towers whose convolutions take and give 8-bit steps; what follows them is computed in float32 as before."""

    def __init__(self, towers: Towers) -> None:
        super().__init__()
        self.count = towers.count
        self.standardise = towers.standardise
        self.convolutions = [Int8Convolution(block) for block in towers.blocks if isinstance(block, ConvBlock)]
        first, second = (layer for layer in towers.pooling.score if isinstance(layer, nn.Conv1d))
        self.first, self.second = self._split(first), self._split(second)
        heads = [self._split(head) for head in (towers.emotion, towers.gender, towers.intensity)]
        self.classes = [weight.shape[1] for weight, _ in heads]
        self.head = _work_in(towers.norm, *(torch.cat(parts, dim=1) for parts in zip(*heads, strict=True)))

    def forward(self, frames: Tensor, counts: Tensor | None = None) -> Logits:
        """Score (batch, mel, frame) log-mel frames, all of them real, (batch, tower, ...).

        Raises:
            ValueError: There are counts, of clips of several lengths.
        """
        if counts is not None:
            raise ValueError("A hastened network hears clips of one length at a time: leave the lengths out.")
        frames = self.standardise(frames.repeat(1, self.count, 1))  # (batch, tower * mel, frame)
        steps = torch.quantize_per_tensor(frames, 2 * REACH / LEVELS, HALF, torch.quint8)
        for convolution in self.convolutions:
            steps = convolution(steps)
        heard = steps.dequantize()  # (batch, tower * channel, frame)
        weight, bias = self.head
        pooled = self._pool(heard.unflatten(1, (self.count, -1))).unsqueeze(3)  # (batch, tower, 2 * channel, 1)
        emotion, gender, intensity = (weight @ pooled + bias).squeeze(3).split(self.classes, dim=2)
        return Logits(emotion, gender, intensity, summarise_frames(heard, None))

    def _pool(self, frames: Tensor) -> Tensor:
        """Map (batch, tower, channel, frame) to (batch, tower, 2 * channel), as AttentivePooling does."""
        (first, first_bias), (second, second_bias) = self.first, self.second
        weights = (second @ torch.tanh(first @ frames + first_bias) + second_bias).softmax(dim=3)
        mean = (weights * frames).sum(dim=3)
        variance = (weights * frames.square()).sum(dim=3) - mean.square()
        return torch.cat([mean, variance.clamp(min=1e-5).sqrt()], dim=2)

    def _split(self, conv: nn.Conv1d) -> tuple[Tensor, Tensor]:
        """Return the weight (tower, out, in) and bias (tower, out, 1) of a convolution over one frame."""
        weight, bias = conv.weight.detach(), conv.get_parameter("bias").detach()
        return weight.squeeze(2).unflatten(0, (self.count, -1)), bias.view(self.count, -1, 1)


class Int8Convolution:
    """A ConvBlock in integers: convolution, normalisation and ReLU in one, then the pool."""

    def __init__(self, block: ConvBlock) -> None:
        fused, norm = fuse_conv_bn_eval(block.conv, block.norm), block.norm
        weight = fused.weight.detach()
        scales = weight.abs().amax(dim=(1, 2)).clamp(min=1e-12).double() / (LEVELS // 2)  # (channel,)
        steps = torch.quantize_per_channel(weight, scales, torch.zeros(len(scales), dtype=torch.long), 0, torch.qint8)
        self.weight = torch.ops.quantized.conv1d_prepack(
            steps, fused.get_parameter("bias").detach(), fused.stride, fused.padding, fused.dilation, fused.groups
        )
        self.scale = max(float((norm.bias + REACH * norm.weight.abs()).detach().max()), 1e-6) / LEVELS
        self.pool = block.pool

    def __call__(self, steps: Tensor) -> Tensor:
        """Map (batch, channel, frame) steps to (batch, channel, frame / pool) steps of self.scale, from zero."""
        heard: Tensor = torch.ops.quantized.conv1d_relu(steps, self.weight, self.scale, 0)
        return F.max_pool1d(heard, self.pool, ceil_mode=True) if self.pool > 1 else heard


def _work_in(norm: nn.BatchNorm1d, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Work the normalisation before a (tower, out, in) linear layer with (tower, out, 1) bias into it."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    gain = norm.weight.detach() / (variance + norm.eps).sqrt()  # (tower * in,)
    shift = (norm.bias.detach() - mean * gain).view(len(weight), -1, 1)  # (tower, in, 1)
    return weight * gain.view(len(weight), 1, -1), bias + weight @ shift
