"""How much memory a training takes, and the batch that fits: an estimate from a stated model.

    bytes = trained parameters x bytes for each of them
          + what the process takes before it trains
          + batch size x activations of the longest clip

The network is XTTS v2.0.3 unless another is given: 30 layers x 1024 channels, 441,018,563 trained
parameters (counted). What a layer keeps grows with its channels. Activations were measured on this
project's own network (fused GELU and attention, no cache, dropout 0.1) by adding up the tensors that
autograd keeps, once with one layer and once with two. On CPU the model gives 9.6 GB for a batch of
two 5 s clips, which is what the README's rehearsal measured. The first step of a run measures what
it really takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.hardware import LOW_VRAM_BYTES

Kind = Literal["cuda", "cpu"]
Precision = Literal["fp32", "bf16"]

PARAMETERS = 441_018_563
# A checkpoint holds weights and both moments of AdamW in fp32.
CHECKPOINT_BYTES = PARAMETERS * 12
# fp32 weights, gradients and both moments of AdamW; autocast keeps a copy of the weights in bf16.
_BYTES_PER_PARAMETER = {"fp32": 16, "bf16": 18}
# Before training. CUDA: its context, kernels and workspaces (0.4 to 0.8 GB are seen on common
# cards). CPU: torch and coqui, as the README's rehearsal measured after the imports, and data.
_START_BYTES = {"cuda": 800_000_000, "cpu": 1_000_000_000}
# Left free; on a CPU the system and the console need room too.
RESERVE_BYTES = {"cuda": LOW_VRAM_BYTES, "cpu": 1_000_000_000}

# Kept per token, layer and channel, measured: attention and MLP with their dropout masks.
_CHANNEL_BYTES = {"fp32": 72, "bf16": 46}
# torch's CPU attention with dropout keeps three fp32 maps a head; the CUDA kernels keep none.
_CPU_MAP_BYTES = 3 * 4
# Conditioning encoder and perceiver, per clip and channel, measured at 6 s of reference.
_CONDITIONING_BYTES = {"fp32": 98 << 10, "bf16": 56 << 10}
# Logits of both heads, their log-softmax and its gradient (fp32).
_LOGIT_BYTES = 3 * 4

# 22,050 Hz, one code for 1,024 samples; a clip has 32 places of prompt, START, and START + 3 STOP.
_CODES_PER_SECOND = 22_050 / 1024
_PROMPT = 32
_MARKS = 5
# XTTS's tokens per second of common speech, on the high side (15 letters and spaces a second).
_TOKENS_PER_SECOND = 10
LONGEST_SECONDS = 11.6
_SHORT_SECONDS = 6.0


@dataclass(frozen=True)
class Network:
    """The sizes of a base that decide about memory; by default those of XTTS v2.0.3."""

    parameters: int = PARAMETERS
    layers: int = 30
    channels: int = 1024
    heads: int = 16
    text_classes: int = 6681
    mel_classes: int = 1026


XTTS = Network()


@dataclass(frozen=True)
class Suggestion:
    """A batch for a card. `batch_size` x `accumulation` is the effective batch that was wanted.

    `estimated_bytes` is what the training takes at its peak; `fits` says whether that is there.
    `why` tells a person how it came about, and what to do when it does not fit.
    """

    batch_size: int
    accumulation: int
    estimated_bytes: int
    fits: bool
    why: str


def clip_bytes(seconds: float, device: Kind, precision: Precision, network: Network = XTTS) -> int:
    """Activations that one clip of a length keeps until the backward pass."""
    text = seconds * _TOKENS_PER_SECOND
    codes = seconds * _CODES_PER_SECOND
    tokens = _PROMPT + text + codes + _MARKS
    per_layer: float = network.channels * _CHANNEL_BYTES[precision]
    if device == "cpu":
        per_layer += tokens * network.heads * _CPU_MAP_BYTES
    logits = (text * network.text_classes + codes * network.mel_classes) * _LOGIT_BYTES
    conditioning = network.channels * _CONDITIONING_BYTES[precision]
    return round(network.layers * tokens * per_layer + conditioning + logits)


def training_bytes(
    batch_size: int,
    device: Kind,
    precision: Precision = "fp32",
    longest_seconds: float = LONGEST_SECONDS,
    network: Network = XTTS,
) -> int:
    """The peak of a training, with a batch of clips that are all as long as the longest."""
    fixed = network.parameters * _BYTES_PER_PARAMETER[precision] + _START_BYTES[device]
    return fixed + batch_size * clip_bytes(longest_seconds, device, precision, network)


def least_bytes(device: Kind, precision: Precision = "fp32") -> int:
    """What must be free to train at all, with batches of one clip of the longest kind."""
    return training_bytes(1, device, precision) + RESERVE_BYTES[device]


def suggest(
    free_bytes: int,
    device: Kind,
    wanted_effective: int,
    longest_seconds: float = LONGEST_SECONDS,
    *,
    precision: Precision = "fp32",
    network: Network = XTTS,
) -> Suggestion:
    """The largest batch that fits into `free_bytes` of the device's memory.

    The effective batch stays what was wanted: a step adds up as many batches as it takes. Memory
    is that of the card ("cuda") or the RAM ("cpu"). Raises ValueError for less than one clip.
    """
    if wanted_effective < 1:
        raise ValueError(f"an effective batch of {wanted_effective} clips cannot be trained")

    def needed(batch_size: int) -> int:
        return training_bytes(batch_size, device, precision, longest_seconds, network)

    room = free_bytes - RESERVE_BYTES[device]
    batches = (n for n in range(wanted_effective, 0, -1) if wanted_effective % n == 0)
    fitting = next((n for n in batches if needed(n) <= room), None)
    size = fitting or 1
    why = (
        _why_it_fits(size, needed(size), free_bytes, device, precision, longest_seconds)
        if fitting
        else _why_not(needed(1), free_bytes, device, precision, longest_seconds, network)
    )
    return Suggestion(size, wanted_effective // size, needed(size), fitting is not None, why)


def _why_it_fits(
    size: int, needed: int, free: int, device: Kind, precision: Precision, seconds: float
) -> str:
    where = "on the GPU" if device == "cuda" else "of RAM"
    batch = "one clip" if size == 1 else f"{size} clips"
    return (
        f"A batch of {batch} of up to {seconds:g} s takes about {in_gb(needed)} in {precision}, and "
        f"{in_gb(free)} {where} are free. This is an estimate; the first step measures it."
    )


def _why_not(
    needed: int,
    free: int,
    device: Kind,
    precision: Precision,
    seconds: float,
    network: Network,
) -> str:
    missing = (
        f"Even one clip of {seconds:g} s at a time takes about {in_gb(needed)} and a reserve of "
        f"{in_gb(RESERVE_BYTES[device])}, but only {in_gb(free)} are free. This is an estimate."
    )
    if device == "cpu":
        return f"{missing} Close other programs, or train on a machine with 16 GB of RAM or more."
    long, short = (
        clip_bytes(each, device, precision, network) for each in (seconds, _SHORT_SECONDS)
    )
    shorter = (
        f" make clips shorter with --set max_clip_seconds={_SHORT_SECONDS:g},"
        if needed - (long - short) + RESERVE_BYTES[device] <= free
        else ""
    )
    return (
        f"{missing} End other programs on the card (nvidia-smi lists them),{shorter} take a card "
        "with 12 GB or more, or train on the CPU with --set device=cpu."
    )


def in_gb(count: float) -> str:
    """Bytes as people read them."""
    return f"{count / 1e9:.1f} GB"
