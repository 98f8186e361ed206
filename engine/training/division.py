"""Batches that did not fit into memory, in halves: the same clips a step, in the same order.

A batch of n clips becomes one of the first ceil(n / 2) and one of the others, as often as memory ran
out. Step, learning rate and what the loss is divided by stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.events import Warned

if TYPE_CHECKING:
    from engine.settings import TrainingSettings
    from engine.training.task import Micro, Task


def divided(
    task: Task, micros: Sequence[Micro], halvings: int, epoch: int | None
) -> Sequence[Micro]:
    """The batches, each halved `halvings` times; a single clip stays. `epoch` as in `Task.batch`."""
    for _ in range(halvings):
        micros = [half for micro in micros for half in _halves(task, micro, epoch)]
    return micros


def _halves(task: Task, micro: Micro, epoch: int | None) -> list[Micro]:
    if len(micro.clips) == 1:
        return [micro]
    middle = (len(micro.clips) + 1) // 2
    return [task.micro(part, epoch) for part in (micro.clips[:middle], micro.clips[middle:])]


def sizes(settings: TrainingSettings, halvings: int) -> dict[str, int]:
    """The settings that describe such batches: their size or token budget, and the accumulation."""
    parts: int = 2**halvings
    size = -(-settings.batch_size // parts)
    found = (
        {"batch_tokens": max(1, settings.batch_tokens // parts)}
        if settings.batch_tokens
        else {"batch_size": size}
    )
    return found | {"accumulation": settings.accumulation * parts}


def smaller(settings: TrainingSettings, halvings: int, step: int) -> Warned:
    """What to tell when the batches of `step` did not fit and are halved once more."""
    now = sizes(settings, halvings)
    (name, batch), (_, accumulation) = now.items()
    wanted = ", ".join(f"{key}={value}" for key, value in now.items())
    return Warned(
        "out_of_memory",
        f"The memory of the GPU was too small for a batch in step {step}.",
        f"Batches are half as large from here on, and twice as many make a step: {name} {batch}, "
        f"accumulation {accumulation}. Each step has the clips that it would have had, and "
        "nothing was lost.",
        f"Nothing for this run. For the next one set {wanted}, end other programs on the GPU, or "
        "set gradient_checkpointing=true to keep the larger batch.",
    )


def does_not_fit(settings: TrainingSettings, precision: str, clip: str) -> str:
    """Why a run ends for which one clip is too large."""
    remedies = ["end other programs on the GPU (nvidia-smi lists them)"]
    if not settings.gradient_checkpointing:
        remedies.append("set gradient_checkpointing=true")
    if precision in ("fp32", "tf32"):
        remedies.append("set precision=bf16 (or fp16 on older cards)")
    remedies.append("set longest_clip_seconds=6, which leaves longer clips out")
    return (
        f"The memory of the GPU is too small for clip {clip} alone, so no smaller batch_size or "
        f"batch_tokens can help. Try in this order: {'; '.join(remedies)}. Then run 'voicetui "
        "train' again with --inexact; it goes on from the last checkpoint."
    )
