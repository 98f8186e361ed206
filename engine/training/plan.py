"""What a training takes on this device, from measured steps, and the batch that fits."""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import Planned, Warned
from engine.settings import TrainingSettings
from engine.training.memory import RESERVE_BYTES, Kind, in_gb


def planned(
    settings: TrainingSettings,
    peaks: Sequence[int],
    *,
    device: Kind,
    precision: str,
    longest_seconds: float,
    clips: int,
    wanted_batch: int,
    free: int,
    total: int,
) -> Planned:
    """The plan for `clips` clips, of which `wanted_batch` were to be computed together.

    `peaks` are the bytes that were held at most by a step with the longest clip, and by one with
    the two longest; without the second one no more than one fits. `free` counts what other
    programs hold as taken.
    """
    slope = max(0, peaks[1] - peaks[0]) if len(peaks) > 1 else 0
    fixed = peaks[0] - slope
    room = free - RESERVE_BYTES[device]
    most = clips if len(peaks) > 1 else 1
    effective = wanted_batch * settings.accumulation
    fitting = [
        n
        for n in range(1, min(effective, most) + 1)
        if effective % n == 0 and fixed + n * slope <= room
    ]
    size = max(fitting, default=1)
    needed = fixed + size * slope
    return Planned(
        device=device,
        precision=precision,
        longest_seconds=round(longest_seconds, 1),
        fixed_bytes=fixed,
        clip_bytes=slope,
        needed_bytes=needed,
        free_bytes=free,
        total_bytes=total,
        wanted_batch_size=wanted_batch,
        wanted_accumulation=settings.accumulation,
        batch_size=size,
        batch_tokens=settings.batch_tokens * size // wanted_batch,
        accumulation=effective // size,
        fits=bool(fitting),
        why=_why(size, needed, free, device, precision, longest_seconds, fits=bool(fitting)),
    )


def shortage(plan: Planned) -> Warned | None:
    """What to tell where the batch that was wanted does not fit; None where it does."""
    if plan.fits and plan.batch_size >= plan.wanted_batch_size:
        return None
    wanted = plan.fixed_bytes + plan.wanted_batch_size * plan.clip_bytes
    batch = f"batch_size={plan.batch_size}"
    if plan.batch_tokens:
        batch = f"batch_tokens={plan.batch_tokens}"
    anew = f"begin anew with --fresh --set {batch} --set accumulation={plan.accumulation}"
    return Warned(
        "short_of_memory",
        f"The longest clips, {plan.wanted_batch_size} at a time, take {in_gb(wanted)}, and "
        f"{in_gb(plan.free_bytes)} are free."
        if plan.fits
        else plan.why,
        "On a GPU such batches are halved when they come, and the run goes on."
        if plan.device == "cuda"
        else "The system will slow down, or end the run.",
        f"Stop, and {anew}: the voice learns the same."
        if plan.fits
        else f"Stop, and {anew} --set gradient_checkpointing=true.",
    )


def _why(
    size: int, needed: int, free: int, device: Kind, precision: str, seconds: float, *, fits: bool
) -> str:
    batch = "one clip" if size == 1 else f"{size} clips"
    where = "on the GPU" if device == "cuda" else "of RAM"
    measured = f"Measured with the longest clips ({seconds:.1f} s): {batch} at a time take "
    measured += f"{in_gb(needed)} in {precision}, and {in_gb(free)} "
    measured += f"{where} are free, of which {in_gb(RESERVE_BYTES[device])} stay so."
    if fits:
        return measured
    remedy = (
        "End other programs on the GPU (nvidia-smi lists them), or set "
        if device == "cuda"
        else "Close other programs, or set "
    )
    return f"{measured} That is too little. {remedy}gradient_checkpointing=true."
