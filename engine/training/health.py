"""What the numbers of a run say about its health: each function tells one trouble, or None.

All are pure: they look at numbers that were recorded anyway. Sizes are bytes. Every setting that a
remedy names exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from engine.events import Step, Warned
from engine.hardware import LOW_VRAM_BYTES
from engine.training.memory import in_gb

_MEDIAN_SHARE = 0.6745

# A step's loss is a spike when it is this many robust deviations, and this share, above the median.
_SPIKE_TIMES, _SPIKE_SHARE = 8.0, 0.25
_SPIKES = 3
_FEWEST_STEPS = 20

# The guide of the console calls more than a tenth of the step's time a concern. Shorter waits than
# this are lost in what any step costs.
_WAIT_SHARE, _WAIT_SECONDS = 0.1, 0.02
_COLLAPSED = 0.5

_GROWTH_SHARE, _GROWTH_BYTES = 0.05, 200e6
_GROWING_EPOCHS = 3

_UNUSED_TIMES, _UNUSED_BYTES = 1.5, 1.5e9

# The XTTS fine-tuning guide recommends 12 GB, of which programs have somewhat less.
SMALL_CARD_BYTES = int(11.5e9)


def loss_spikes(steps: Sequence[Step]) -> Warned | None:
    """Several steps whose loss stands far above the others; at least twenty steps."""
    losses = [step.loss for step in steps]
    if len(losses) < _FEWEST_STEPS:
        return None
    usual = median(losses)
    scale = median(abs(loss - usual) for loss in losses) / _MEDIAN_SHARE
    limit = usual + max(_SPIKE_TIMES * scale, _SPIKE_SHARE * abs(usual))
    spikes = [step for step in steps if step.loss > limit]
    if len(spikes) < _SPIKES:
        return None
    highest = max(spikes, key=lambda step: step.loss)
    return Warned(
        "loss_spikes",
        f"{len(spikes)} of the last {len(steps)} steps had a loss far above the usual "
        f"{usual:.2f}; the highest is {highest.loss:.2f} at step {highest.step}.",
        "Steps are too long for some clips, or some clips do not match their texts.",
        "Review the clips with the lowest scores. If it goes on, halve learning_rate, lower "
        "gradient_clip to 0.5, or raise accumulation.",
    )


def slow_loader(steps: Sequence[Step]) -> Warned | None:
    """Steps that wait for their clips; at least twenty steps."""
    if len(steps) < _FEWEST_STEPS:
        return None
    wait = median(step.loader_seconds for step in steps)
    share = median(step.loader_seconds / step.seconds for step in steps if step.seconds > 0)
    if wait < _WAIT_SECONDS or share <= _WAIT_SHARE:
        return None
    return Warned(
        "slow_loader",
        f"Steps wait {1000 * wait:.0f} ms for their clips, {100 * share:.0f} % of their time.",
        "The disk or the CPU is too slow for this card, or busy with something else.",
        "Move the project to a local SSD and end other programs. Clips are read from its cache "
        "folder.",
    )


def slowed_down(steps: Sequence[Step]) -> Warned | None:
    """The newest steps take twice the time that steps took before for as much audio."""
    speeds = [step.audio_seconds / step.seconds for step in steps if step.seconds > 0]
    if len(speeds) < 3 * _FEWEST_STEPS:
        return None
    before, recent = median(speeds[:-_FEWEST_STEPS]), median(speeds[-_FEWEST_STEPS:])
    if recent >= _COLLAPSED * before:
        return None
    newest = steps[-_FEWEST_STEPS:]
    waited = sum(step.loader_seconds for step in newest) / sum(step.seconds for step in newest)
    waits = waited > _WAIT_SHARE
    return Warned(
        "slowed_down",
        f"Training fell from {before:.1f} to {recent:.1f} seconds of audio per second.",
        "The disk has become slow: steps wait for their clips."
        if waits
        else "The card or CPU computes slower: too hot, or shared with another program.",
        "See what else uses the disk, or move the project to a local SSD."
        if waits
        else "See what else runs (nvidia-smi, top), and whether the machine is cooled well.",
    )


def memory_grows(peaks: Sequence[float]) -> Warned | None:
    """Memory that grows from epoch to epoch; `peaks` are those of each epoch, oldest first.

    The first epoch is left out: everything is met for the first time in it.
    """
    later = peaks[1:][-_GROWING_EPOCHS - 1 :]
    if len(later) <= _GROWING_EPOCHS or any(after <= before for before, after in pairwise(later)):
        return None
    grown = later[-1] - later[0]
    if grown < max(_GROWTH_BYTES, _GROWTH_SHARE * later[0]):
        return None
    return Warned(
        "memory_grows",
        f"Memory grew in {_GROWING_EPOCHS} epochs in a row, from {in_gb(later[0])} to "
        f"{in_gb(later[-1])}.",
        "Sooner or later there will be none left, and the run ends.",
        "Stop the run and go on with it: a new process begins with little, and nothing is lost. "
        "Set save_every_steps, so that little is lost if it ends before.",
    )


def fragmented(reserved: float, allocated: float) -> Warned | None:
    """GPU memory that torch holds far above what its tensors took at their peak."""
    unused = reserved - allocated
    if reserved <= _UNUSED_TIMES * allocated or unused < _UNUSED_BYTES:
        return None
    return Warned(
        "memory_fragmented",
        f"torch holds {in_gb(reserved)} of the card, and its tensors never took more than "
        f"{in_gb(allocated)}.",
        "Clips of different lengths leave gaps that no later one fits into.",
        "Stop, and go on with PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True before the command, "
        "or with a smaller batch_size and more accumulation in a new run.",
    )


def little_vram_free(free: float) -> Warned | None:
    """Less free on the card than the guide calls safe."""
    if free >= LOW_VRAM_BYTES:
        return None
    return Warned(
        "little_vram_free",
        f"Only {free / 1e6:.0f} MB of the card's memory are free.",
        "A longer clip, or another program, may end the run with 'out of memory'.",
        "End other programs on the card (nvidia-smi lists them), or begin anew with half the "
        "batch_size and twice the accumulation.",
    )


def small_card(total: float) -> Warned | None:
    """A card with less than the 12 GB that the guide recommends."""
    if total >= SMALL_CARD_BYTES:
        return None
    return Warned(
        "small_card",
        f"The card has {in_gb(total)}; 12 GB are recommended.",
        "The whole network may not fit beside its gradients and long clips.",
        "Take the profile low-vram, or set batch_size=1, gradient_checkpointing=true and a higher "
        "accumulation, and close other programs on the card.",
    )


def no_room_to_save(needed: float, disk_free: float | None, ram_free: float) -> Warned | None:
    """A next checkpoint that the disk or the RAM has no room for; `disk_free` None is not known."""
    if disk_free is not None and disk_free < needed:
        return Warned(
            "disk_nearly_full",
            f"The next checkpoint takes {in_gb(needed)}, and the disk has {in_gb(disk_free)} free.",
            "Saving will fail, and the run ends with it. What was saved before stays whole.",
            f"Free {in_gb(needed - disk_free)} at least: delete old runs or exports, or lower "
            "keep_checkpoints.",
        )
    if ram_free < needed:
        return Warned(
            "ram_nearly_full",
            f"Writing the next checkpoint may take {in_gb(needed)} of RAM, and {in_gb(ram_free)} are "
            "free.",
            "The system may end the run while it saves. What was saved before stays whole.",
            "End other programs on this machine.",
        )
    return None
