"""Exporting a voice: a folder that coqui's Xtts and AllTalk load as it is."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import __version__, lock, weights
from engine.dataset import clips
from engine.errors import BaseModelError, InputError, RefusedError
from engine.eventlog import jsonable, read_all
from engine.events import (
    Evaluated,
    Event,
    Exported,
    Finished,
    Note,
    Stage,
    VoiceEvaluated,
    fields_of,
)
from engine.files import (
    atomic_dir,
    atomic_file,
    copy_file,
    make_dirs,
    require_space,
    sha256_file,
    sweep,
    write_json,
    write_text,
)
from engine.jobs import LOG_NAME, Job, new_folder
from engine.project import Project
from engine.session import Session
from engine.text import clean
from engine.training.checkpoint import Checkpoint
from engine.xtts import base as bases
from engine.xtts import card, held_out, load, speak, voice

KIND = "export"
if TYPE_CHECKING:
    import torch

_COPIED = ("config.json", "vocab.json", "mel_stats.pth", "dvae.pth")
_MARGIN_BYTES = 64 << 20


def default_name(project: Project) -> str:
    """The name of a project's export folder: its own, in letters that every tool takes."""
    return re.sub(r"[^\w.-]+", "-", project.name).strip("-.") or "voice"


def session(
    project: Project, *, checkpoint: str = "best", name: str | None = None, force: bool = False
) -> Session:
    """A session that exports a checkpoint to `export/<name>/`.

    Raises InputError without a checkpoint, RefusedError when the folder exists and `force` is off.
    """
    name = name or default_name(project)
    if re.fullmatch(r"[\w-][\w.-]*", name) is None:
        raise InputError(
            f"An export is named in letters, digits, '.', '_' and '-': {clean(name)!r} is not."
        )
    final = project.export_dir / name
    if final.exists() and not force:
        raise RefusedError(
            f"{clean(str(final))} exists. Replace it with --force, or give another --name."
        )
    run, saved = speak.chosen_checkpoint(project, checkpoint)
    if final.resolve() == Path(project.base_reference).resolve():
        raise RefusedError(f"{clean(str(final))} is the base of this project. Give another --name.")
    with contextlib.ExitStack() as held:
        make_dirs(project.export_dir)
        held.enter_context(lock.hold(project.export_dir, KIND))
        job = Job(new_folder(project.jobs_dir, KIND), KIND)

        def work(job: Job) -> Finished:
            return export(project, job, run, saved, final)

        return Session(job, work, held.pop_all())


def export(project: Project, job: Job, run: Path, saved: Checkpoint, final: Path) -> Finished:
    """Write the export folder, which takes its name when all of it is there.

    Call it while holding the lock of the folder of exports.
    """
    check = job.control.raise_if_stopped
    job.emit(Stage("checking"))
    base = speak.base_of(project, saved)
    sweep(final.parent)
    size = sum((base / name).stat().st_size for name in bases.FILES)
    require_space(final.parent, size + _MARGIN_BYTES, "The export")
    # Opened once: a training that goes on may delete the checkpoint, and mapped files outlive that.
    trained = speak.weights_of(saved, check)
    wavs = voice.references(project)
    held_out_clips = held_out.choose(clips.usable(project.dataset_dir, project.language))
    earlier = held_out.read(base)
    with atomic_dir(final, replace=True) as draft:
        job.emit(Stage("weights"))
        _write_model(base, trained, saved, draft / "model.pth")
        check()
        for name in _COPIED:
            copy_file(base / name, draft / name)
        job.emit(Stage("voice", len(wavs), "references"))
        model = speak.synthesizer(base, trained, saved.folder)
        _write_voice(project, job, base, voice.latents(model, wavs), wavs, draft)
        held_out.write(draft, project.name, project.dataset_dir, held_out_clips, earlier)
        check()
        job.emit(Stage("model card"))
        _write_card(project, base, run, saved, draft)
    total = sum(path.stat().st_size for path in final.rglob("*") if path.is_file())
    job.emit(Exported(str(final), saved.step, total))
    return Finished({"folder": str(final), "step": saved.step, "bytes": total})


def _write_model(
    base: Path, trained: Mapping[str, torch.Tensor], saved: Checkpoint, path: Path
) -> None:
    """model.pth as coqui's Xtts reads it: the trained GPT, and the base's vocoder and mel values."""
    import torch

    state = {f"gpt.{name}": tensor for name, tensor in trained.items()} | load.rest_of(base)
    expected = set(load.state_of(base))
    if missing := sorted(expected - set(state)):
        raise BaseModelError(
            f"{clean(str(saved.folder))} lacks tensors of the base ({clean(', '.join(missing[:3]))})."
        )
    with atomic_file(path) as handle:
        torch.save({"model": state}, handle)


def _write_voice(
    project: Project,
    job: Job,
    base: Path,
    heard: voice.Latents,
    wavs: Sequence[Path],
    draft: Path,
) -> None:
    """The references, and speakers_xtts.pth with the base's voices and the project's."""
    import torch

    speakers = dict(weights.load(base / "speakers_xtts.pth"))
    if project.name in speakers:
        job.emit(Note("speaker_replaced", f"The base already knew a voice called {project.name}."))
    speakers[project.name] = {"gpt_cond_latent": heard.gpt, "speaker_embedding": heard.speaker}
    with atomic_file(draft / "speakers_xtts.pth") as handle:
        torch.save(speakers, handle)
    for number, wav in enumerate(wavs, 1):
        copy_file(wav, draft / "wavs" / f"reference-{number:02d}.wav")


def _evaluations(run: Path, step: int) -> tuple[list[Evaluated], list[VoiceEvaluated]]:
    """The evaluations that led to a step, and the last one of each earlier voice.

    Of one that was repeated after a crash, it is the last.
    """
    by_step: dict[int, Evaluated] = {}
    voices: dict[tuple[str, int], VoiceEvaluated] = {}
    for record in read_all(run / LOG_NAME):
        event: Event = record.event
        if isinstance(event, Evaluated) and event.step <= step:
            by_step[event.step] = event
        elif isinstance(event, VoiceEvaluated) and event.step <= step:
            voices[event.voice, event.step] = event
    newest = {voices[key].voice: voices[key] for key in sorted(voices)}
    return [by_step[key] for key in sorted(by_step)], [*newest.values()]


def _write_card(project: Project, base: Path, run: Path, saved: Checkpoint, draft: Path) -> None:
    """README.md for people and voicetui.json for programs."""
    hashes = {
        path.relative_to(draft).as_posix(): sha256_file(path)
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    summary_path = project.dataset_dir / "summary.json"
    lineage = card.lineage_of(base)
    evaluations, earlier_voices = _evaluations(run, saved.step)
    facts: dict[str, Any] = {
        "format": 1,
        "made_by": f"voicetui {__version__}",
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "voice": project.name,
        "language": project.language,
        "base": card.base_name(project.base_reference),
        "base_licence": card.licence_of(project.base_reference),
        "lineage": lineage,
        "run": run.name,
        "step": saved.step,
        "epochs": saved.progress.epoch,
        # Those of each voice so far, this training included.
        "voice_epochs": card.epochs_of(
            [*lineage, {"voice": project.name, "epochs": saved.progress.epoch}]
        ),
        "settings": dict(saved.facts["settings"]),
        "versions": dict(saved.facts["versions"]),
        "dataset": json.loads(summary_path.read_text("utf-8")) if summary_path.exists() else {},
        "dataset_hash": saved.facts["dataset"],
        "evaluations": [
            {
                "epoch": e.epoch,
                "step": e.step,
                "loss": e.loss,
                "text_ce": e.text_ce,
                "mel_ce": e.mel_ce,
            }
            for e in evaluations
        ],
        "earlier_voices": [fields_of(e) for e in earlier_voices],
        "files": hashes,
    }
    write_json(draft / card.FILE_NAME, jsonable(facts))
    write_text(draft / "README.md", card.as_markdown(facts))
