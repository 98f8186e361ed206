"""Measures what training takes here, in a process of its own: `python -m engine.xtts.plan_process`.

It takes whole steps with the longest clips of a project, so that nothing of them is left behind and
a machine that runs out of memory ends this process alone. The answer is `{"plan": {…}}`.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import child
from engine.errors import DatasetError, FailedError
from engine.events import Event, Planned, Stage
from engine.project import Project
from engine.text import clean

if TYPE_CHECKING:
    from engine.dataset.clips import Clip
    from engine.settings import TrainingSettings
    from engine.training.precision import Place
    from engine.xtts.features import Entry, Features

# Clips of most seconds that are looked at for those of most places.
_LOOKED_AT = 8


def measure(
    project: Project, *, check: Callable[[], None], emit: Callable[[Event], None]
) -> Planned:
    """The plan for a project that is prepared; takes some seconds on a GPU, a minute on a CPU.

    `check` is called ten times a second and may raise, which ends the measuring at once. Raises
    InputError for what training would refuse, and FailedError where not one clip fits.
    """
    request = {
        "folder": os.path.abspath(project.folder),
        "values": dict(project.overrides),
    }
    answer = child.ask(
        "engine.xtts.plan_process",
        request,
        check=check,
        emit=emit,
        ended="The process that measures ended before it was done. One that was killed ran out of "
        "memory: set batch_size=1 and gradient_checkpointing=true, or take a larger machine.",
    )
    return Planned(**answer["plan"])


def _answer(request: dict[str, Any], emit: Callable[[Event], None]) -> dict[str, Any]:
    from engine import project

    loaded = project.load(Path(request["folder"])).with_values(request["values"])
    return {"plan": dataclasses.asdict(plan_of(loaded, emit))}


def plan_of(project: Project, emit: Callable[[Event], None]) -> Planned:
    """Measure in this process."""
    from engine.dataset import clips
    from engine.training import contradictions
    from engine.xtts import base as bases

    settings = project.settings.training
    contradictions.check(settings)
    listed = clips.usable(project.dataset_dir, project.language)
    training = [clip for clip in listed if clip.split == "train"]
    contradictions.check_batch(settings, len(training))
    free, total = ram()
    emit(Stage("loading"))
    from engine.training import plan, precision
    from engine.xtts.mel import SAMPLE_RATE

    place = precision.choose(settings.device, settings.precision)
    if vram := place.vram():
        free, total = vram
    base = bases.locate(project.base_reference)
    with tempfile.TemporaryDirectory(prefix="voicetui-plan-") as scratch:
        features = _features(project, training, base, Path(scratch))
        emit(Stage("measuring"))
        longest = _longest(features)
        peaks = _peaks(features, longest, base, settings, place)
    entry = features.entries[longest[0]]
    return plan.planned(
        settings,
        peaks,
        device="cuda" if place.device.type == "cuda" else "cpu",
        precision=place.precision,
        longest_seconds=entry.samples / SAMPLE_RATE,
        clips=len(training),
        wanted_batch=clips_together(settings, entry, len(training)),
        free=free,
        total=total,
    )


def clips_together(settings: TrainingSettings, entry: Entry, clips: int) -> int:
    """How many clips as long as this one the settings compute together, of `clips` in all."""
    from engine.xtts import batches

    alike = [entry.tokens + entry.codes] * clips
    order = batches.epoch_order(alike, settings.batch_size, 0, 0, budget=settings.batch_tokens)
    return max(map(len, order))


def ram() -> tuple[int, int]:
    """Bytes of RAM that this process may have, those it has already included, and all there are."""
    import psutil

    from engine.hardware import memory

    ram = memory()
    return ram.available + int(psutil.Process().memory_info().rss), ram.total


def _features(project: Project, training: Sequence[Clip], base: Path, scratch: Path) -> Features:
    """The features of the longest clips; nothing of the project is written."""
    import torch

    from engine.xtts import features

    longest = project.settings.training.longest_clip_seconds
    short = [clip for clip in training if clip.seconds <= longest]
    chosen = sorted(short, key=lambda clip: -clip.seconds)[:_LOOKED_AT]
    built = features.build(
        scratch / "features",
        project.dataset_dir,
        chosen,
        base,
        max_tokens=project.settings.dataset.max_text_tokens,
        device=torch.device("cpu"),
        progress=lambda *_: None,
        check=lambda: None,
    )
    if not built.entries:
        raise DatasetError(
            f"{clean(str(project.folder))} has no train clips that can be used. Add recordings and "
            "run 'voicetui prepare'."
        )
    return built


def _longest(features: Features) -> list[int]:
    """The two clips of most places, the longest first; one where there are no two."""
    order = sorted(
        range(len(features.entries)),
        key=lambda index: -(features.entries[index].tokens + features.entries[index].codes),
    )
    return order[:2]


def _peaks(
    features: Features,
    longest: Sequence[int],
    base: Path,
    settings: TrainingSettings,
    place: Place,
) -> list[int]:
    """Bytes held at most by a step with one clip and one with two; less where two do not fit."""
    import torch

    from engine.training import counsel, division
    from engine.training.losses import totals
    from engine.training.optimizer import make_optimizer
    from engine.training.stepping import TooLarge, backward
    from engine.xtts import load
    from engine.xtts.model import prepare_for_training
    from engine.xtts.task import XttsTask

    gpt = load.gpt_of(base)
    prepare_for_training(gpt, settings.dropout, checkpointing=settings.gradient_checkpointing)
    gpt.to(place.device).train()
    task = XttsTask(gpt, features, load.mel_stats_of(base), settings, place)
    optimizer = make_optimizer(gpt, settings)

    def peak_of(clips: Sequence[int]) -> int:
        _forget_peak(place)
        micro = task.micro(clips, 0)
        backward(task, place, micro, task.batch(micro, 0), totals([micro]))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return _peak(place)

    peaks: list[int] = []
    try:
        with place.tuned():
            # The first step makes what the optimizer keeps, and counts for nothing.
            peak_of(longest[:1])
            for count in range(1, len(longest) + 1):
                peaks.append(peak_of(longest[:count]))
    except TooLarge as error:
        if not peaks:
            (name,) = task.clip_names(error.micro)
            raise FailedError(division.does_not_fit(settings, place.precision, name)) from None
    except torch.OutOfMemoryError as error:
        raise FailedError(counsel.no_room(settings)) from error
    return peaks


def _forget_peak(place: Place) -> None:
    import torch

    place.empty_cache()
    if place.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(place.device)
        return
    try:
        # Linux: makes the peak what is held now. Elsewhere it only ever grows, which is as well.
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak(place: Place) -> int:
    """Bytes held at most since `_forget_peak`."""
    import torch

    if place.device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(place.device))
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    child.serve(_answer)
