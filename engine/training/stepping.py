"""One optimiser step: the gradients of its batches, their norm, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from engine.errors import StopRequested
from engine.training import rng
from engine.training.losses import Measured, measured, totals
from engine.training.precision import Place
from engine.training.scaling import Scale
from engine.training.task import Micro, Task


class TooLarge(Exception):
    """The memory of the device was too small for a batch; what it took is free again."""

    def __init__(self, micro: Micro) -> None:
        super().__init__("a batch did not fit into memory")
        self.micro = micro


@dataclass(frozen=True)
class Stepped:
    """What a step gave: losses, the norm of its gradients, seconds waited for batches.

    One that is not `finite` changed no weights. Where it `overflowed`, the scale of fp16 is to
    blame and not the step.
    """

    means: Measured
    grad_norm: float
    waited: float
    finite: bool
    overflowed: bool


@dataclass(frozen=True)
class Stepper:
    """Takes steps with a task. `limit` is the longest gradient, 0 for any; `check` may raise to stop."""

    task: Task
    place: Place
    parameters: Sequence[torch.nn.Parameter]
    limit: float
    check: Callable[[], None]

    def step(
        self,
        optimizer: torch.optim.Optimizer,
        lr: float,
        group: Sequence[Micro],
        batches: Iterator[tuple[Any, float]],
        scale: Scale,
    ) -> Stepped:
        """Take the step of the batches of `group`; `scale` matters for fp16 only.

        After StopRequested and TooLarge the step can be taken again as if it had not been begun.
        """
        before = rng.device_states()
        counts, factor = totals(group), scale.factor if self.place.scales else None
        sums: dict[str, torch.Tensor] = {}
        waited = 0.0
        try:
            for micro in group:
                self.check()
                batch, seconds = next(batches)
                waited += seconds
                found = backward(self.task, self.place, micro, batch, counts, factor)
                for term, value in found.items():
                    sums[term] = sums[term] + value if term in sums else value
        except (StopRequested, TooLarge):
            rng.set_device_states(before)
            optimizer.zero_grad(set_to_none=True)
            raise
        norm = clipped_norm(self.parameters, self.limit, factor)
        # One transfer from the device for all numbers of the step.
        *values, grad_norm = torch.stack([*sums.values(), norm]).tolist()
        is_number = all(map(math.isfinite, values))
        finite = is_number and math.isfinite(grad_norm)
        if finite:
            for parameter_group in optimizer.param_groups:
                parameter_group["lr"] = lr
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        means = measured(dict(zip(sums, values, strict=True)), counts, self.task.weights)
        overflowed = factor is not None and is_number and not finite and scale.can_fall
        return Stepped(means, grad_norm, waited, finite, overflowed)


def backward(
    task: Task,
    place: Place,
    micro: Micro,
    batch: Any,
    counts: Mapping[str, int],
    factor: float | None = None,
) -> dict[str, torch.Tensor]:
    """Add the gradients of a batch to those of its step, times `factor`; gives the summed losses.

    `counts` are the targets of the whole step. Raises TooLarge.
    """
    try:
        return _backward(task, place, batch, counts, factor)
    except torch.OutOfMemoryError:
        pass
    # Not inside of the clause: the first error would hold on to all tensors of its frames.
    raise TooLarge(micro)


def _backward(
    task: Task, place: Place, batch: Any, counts: Mapping[str, int], factor: float | None
) -> dict[str, torch.Tensor]:
    with place.autocast():
        sums = task.sums(batch)
    loss = torch.stack([task.weights[term] * sums[term] / counts[term] for term in sums]).sum()
    (loss if factor is None else loss * factor).backward()  # type: ignore[no-untyped-call]
    return {term: value.detach() for term, value in sums.items()}


def clipped_norm(
    parameters: Iterable[torch.nn.Parameter], limit: float, factor: float | None = None
) -> torch.Tensor:
    """Divide the gradients by `factor` and clip them; gives their norm from before clipping."""
    listed = [each for each in parameters if each.grad is not None]
    if factor is not None:
        gradients = [each.grad for each in listed if each.grad is not None]
        torch._foreach_mul_(gradients, 1 / factor)
    return torch.nn.utils.clip_grad_norm_(listed, limit or float("inf"))
