"""What a model family gives to the training loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch


@dataclass(frozen=True)
class Micro:
    """Clips that are computed together. `targets` counts what each loss term predicts."""

    clips: tuple[int, ...]
    targets: Mapping[str, int]
    audio_seconds: float


class Task(Protocol):
    """One model and its data, as the loop sees them.

    The loop trains the parameters of `model` that require gradients. The loss of a step is the sum
    over `weights` of weight x (summed loss of the term / its targets in the step), so accumulated
    batches weigh as one large batch would.
    """

    model: torch.nn.Module
    weights: Mapping[str, float]

    def epoch(self, epoch: int) -> Sequence[Micro]:
        """The batches of epoch `epoch` (from 0); the same for the same seed, always."""

    def held_out(self) -> Sequence[Micro]:
        """The batches of the held-out clips."""

    def micro(self, clips: Sequence[int], epoch: int | None) -> Micro:
        """The batch of these clips; `epoch` None for held-out ones."""

    def batch(self, micro: Micro, epoch: int | None) -> Any:
        """A batch on the host; `epoch` None for the held-out clips. Called in a helper thread."""

    def sums(self, batch: Any) -> Mapping[str, torch.Tensor]:
        """The summed loss of each term, as scalars on the device."""

    def clip_names(self, micro: Micro) -> list[str]:
        """The ids of the clips of a batch, for messages."""
