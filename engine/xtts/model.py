"""The training step of XTTS v2 over coqui's own GPT, without masks.

Each clip is laid out compactly and padded on the right, where causal attention never looks, so no
attention mask is needed. The loss equals that of coqui's `GPT.forward` on the same batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from engine.xtts.batches import Tables


class FusedAttention(nn.Module):
    """The attention of coqui's conditioning encoder (QKVAttentionLegacy) on torch's fused kernel."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, qkv: torch.Tensor, mask: None = None, rel_pos: None = None) -> torch.Tensor:
        """(B, heads * 3 * C, T) -> (B, heads * C, T)."""
        if mask is not None or rel_pos is not None:
            raise NotImplementedError("XTTS conditions without mask and relative positions")
        batch, width, length = qkv.shape
        channels = width // (3 * self.heads)
        parts = qkv.reshape(batch, self.heads, 3, channels, length)
        # The fused kernels want contiguous (B, heads, T, C).
        q, k, v = (parts[:, :, part].transpose(2, 3).contiguous() for part in range(3))
        out = F.scaled_dot_product_attention(q, k, v)
        return out.transpose(2, 3).reshape(batch, -1, length)


def use_fused_gelu(gpt: Any) -> None:
    """Replace the tanh GELU written in Python by torch's: same values, less memory kept."""
    for block in gpt.gpt.h:
        block.mlp.act = nn.GELU(approximate="tanh")


def use_fused_conditioning(gpt: Any) -> None:
    """Replace the conditioning encoder's attention by the fused one."""
    for block in gpt.conditioning_encoder.attn:
        block.attention = FusedAttention(block.attention.n_heads)


def drop_cache(gpt: Any) -> None:
    """Stop the network from keeping keys and values that training never reads."""
    gpt.gpt.config.use_cache = False


def set_dropout(gpt: Any, share: float) -> None:
    """Set every dropout of the transformer that coqui trains with (0.1 in the original)."""
    for module in gpt.gpt.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def use_checkpointing(gpt: Any) -> None:
    """Keep only what enters each layer and compute the layer again on the way back.

    transformers' own switch fails on this network, whose word embedding coqui has removed.
    """
    gpt.gpt.gradient_checkpointing = True
    for block in gpt.gpt.h:
        block.gradient_checkpointing = True
        block._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)


def prepare_for_training(gpt: Any, dropout: float, *, checkpointing: bool = False) -> None:
    """Apply all changes to coqui's network; none changes its parameters or their names."""
    drop_cache(gpt)
    if checkpointing:
        use_checkpointing(gpt)
    use_fused_gelu(gpt)
    use_fused_conditioning(gpt)
    set_dropout(gpt, dropout)


@dataclass(frozen=True)
class Batch:
    """A batch on its device: the index tables as tensors, and the conditioning mel (B, 80, frames)."""

    text: torch.Tensor
    codes: torch.Tensor
    order: torch.Tensor
    text_positions: torch.Tensor
    text_targets: torch.Tensor
    mel_positions: torch.Tensor
    mel_targets: torch.Tensor
    conditioning: torch.Tensor


def to_device(tables: Tables, conditioning: torch.Tensor, device: torch.device) -> Batch:
    """Move the tables of a batch to the device in which `conditioning` is."""

    def move(name: str) -> torch.Tensor:
        return torch.from_numpy(getattr(tables, name)).to(device, non_blocking=True)

    return Batch(
        move("text"),
        move("codes"),
        move("order"),
        move("text_positions"),
        move("text_targets"),
        move("mel_positions"),
        move("mel_targets"),
        conditioning,
    )


def prompt_of(gpt: Any, conditioning: torch.Tensor) -> torch.Tensor:
    """What the GPT hears in the conditioning mel (B, 80, frames): (B, 32, channels)."""
    prompt: torch.Tensor = gpt.get_style_emb(conditioning).transpose(1, 2)
    return prompt


def hidden_states(gpt: Any, prompt: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The normed output of the transformer at every place, (B * L, channels)."""
    text = gpt.text_embedding(batch.text) + gpt.text_pos_embedding(batch.text)
    codes = gpt.mel_embedding(batch.codes) + gpt.mel_pos_embedding(batch.codes)
    pool = torch.cat([prompt, text, codes], dim=1)
    rows = torch.arange(len(pool), device=pool.device)[:, None]
    sequence = pool[rows, batch.order]
    output = gpt.gpt(inputs_embeds=sequence, attention_mask=None, use_cache=False)
    normed: torch.Tensor = gpt.final_norm(output.last_hidden_state)
    return normed.flatten(0, 1)


def loss_sums(gpt: Any, batch: Batch, smoothing: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Summed cross-entropy of text and of codes, in nats; the heads run at predicting places only.

    Divided by the number of targets they are coqui's unweighted `loss_text` and `loss_mel`.
    `smoothing` is the share of each target that is spread over all classes.
    """
    hidden = hidden_states(gpt, prompt_of(gpt, batch.conditioning), batch)
    text = gpt.text_head(hidden[batch.text_positions]).float()
    mel = gpt.mel_head(hidden[batch.mel_positions]).float()
    return (
        F.cross_entropy(text, batch.text_targets, reduction="sum", label_smoothing=smoothing),
        F.cross_entropy(mel, batch.mel_targets, reduction="sum", label_smoothing=smoothing),
    )
