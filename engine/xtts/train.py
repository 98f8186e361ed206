"""The road from the clips of a project to a trained XTTS voice."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.dataset import clips
from engine.errors import DatasetError
from engine.events import (
    ClipDropped,
    Finished,
    Lineage,
    Parameters,
    Progress,
    SettingsEcho,
    Stage,
)
from engine.jobs import Job
from engine.project import Project
from engine.session import Session
from engine.settings import TrainingSettings
from engine.text import clean
from engine.training import checkpoint, contradictions, runs
from engine.xtts import base as bases
from engine.xtts import card, telling

if TYPE_CHECKING:
    from engine.training.precision import Place
    from engine.xtts.features import Features

_VERSIONED = ("torch", "torchaudio", "transformers", "coqui-tts", "numpy")
# Raised when a change of ours makes the same data and settings give another run.
_RECIPE = 1


def session(
    project: Project, *, resume: bool = False, fresh: bool = False, inexact: bool = False
) -> Session:
    """A session that trains the project; `inexact` allows changes that would make it another run.

    Raises BusyError, RefusedError and InputError.
    """
    clips.usable(project.dataset_dir, project.language)
    bases.check(bases.locate(project.base_reference))
    return runs.session(
        project, lambda job: train(project, job, inexact=inexact), resume=resume, fresh=fresh
    )


def train(project: Project, job: Job, *, inexact: bool = False) -> Finished:
    """Train the project in the job's run folder, from its newest checkpoint if it has one."""
    base = bases.locate(project.base_reference)
    is_edited = telling.changes_of(project.dataset_dir)
    check = job.control.raise_if_stopped
    found = checkpoint.newest(job.folder, check)
    saved = found[0] if found else None
    settings = runs.effective_settings(project, job.folder)
    contradictions.check(settings)
    job.emit(SettingsEcho({"language": project.language} | dataclasses.asdict(settings)))

    for warning in contradictions.warnings(settings):
        job.emit(warning)
    job.emit(Stage("loading"))
    from engine.training import precision, rng
    from engine.training.loop import Loop
    from engine.xtts import earlier_voices, load, plan_ahead
    from engine.xtts.model import prepare_for_training
    from engine.xtts.task import XttsTask

    check()
    place = precision.choose(settings.device, settings.precision)
    job.emit(place.describe())
    telling.tell_base(job, base)
    features = _features(project, job, base, place)
    earlier = earlier_voices.features_of(project, base, place, check)
    telling.tell_dataset(job, project, features)
    count = len(features.of_split("train"))
    contradictions.check_batch(settings, count)
    if told := contradictions.small_data(settings, count):
        job.emit(told)
    facts = _facts(settings, base, features, place)
    changed = runs.judge_exactness(job, saved, facts, inexact=inexact) if saved else set()
    runs.write_run(job, project, base, settings)
    if saved is None:
        plan_ahead.look_ahead(project, base, features, place, check=check, emit=job.emit)

    rng.seed_all(settings.seed)
    gpt = load.gpt_of(base)
    prepare_for_training(gpt, settings.dropout, checkpointing=settings.gradient_checkpointing)
    gpt.to(place.device).train()
    task = XttsTask(gpt, features, load.mel_stats_of(base), settings, place)
    loop = Loop(
        task, settings, place, job.folder, job.emit, job.control, facts,
        start_weights=lambda: load.gpt_of(base).state_dict(),
        earlier=earlier_voices.voices_of(earlier, base, gpt, settings, place),
    )  # fmt: skip
    loop.watch.also(is_edited)
    job.emit(Lineage(project.name, card.epochs_of(card.lineage_of(base))))
    contradictions.check_length(settings, loop.steps_per_epoch)
    trained = sum(p.numel() for p in loop.parameters.values())
    total = sum(p.numel() for p in gpt.parameters())
    job.emit(Parameters(trained, total - trained))
    check()
    loop.measure_earlier_voices()
    if found:
        runs.restore(job, loop, *found, changed)
    job.emit(Stage("training"))
    return loop.run()


def _features(project: Project, job: Job, base: Path, place: Place) -> Features:
    from engine.xtts import features

    listed = clips.usable(project.dataset_dir, project.language)
    job.emit(Stage("features", len(listed), "clips"))
    built = features.build(
        project.cache_dir / "features",
        project.dataset_dir,
        listed,
        base,
        max_tokens=project.settings.dataset.max_text_tokens,
        max_seconds=project.settings.training.longest_clip_seconds,
        device=place.device,
        progress=lambda done, total: job.emit(Progress("features", done, total, "clips")),
        check=job.control.raise_if_stopped,
    )
    by_id = {clip.id: clip for clip in listed}
    for rejected in built.rejected:
        clip = by_id[rejected.id]
        job.emit(ClipDropped(clip.id, clip.source.path, clip.start, clip.end, rejected.reason))
    for split, remedy in (
        ("train", "Add recordings and run 'voicetui prepare'."),
        ("eval", "Add recordings, or raise dataset.eval_share before the first preparation."),
    ):
        if not built.of_split(split):
            raise DatasetError(
                f"{clean(str(project.folder))} has no {split} clips that can be used. {remedy}"
            )
    return built


def _facts(
    settings: TrainingSettings, base: Path, features: Features, place: Place
) -> dict[str, Any]:
    """What a run is made of: anything that differs makes a resumed run another run."""
    return {
        "recipe": _RECIPE,
        "base": bases.identity(base),
        "dataset": features.identity,
        "settings": runs.exact_settings(settings),
        "device": place.facts(),
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONED},
    }
