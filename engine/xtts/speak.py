"""Speaking with a checkpoint of a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from engine.errors import FailedError, InputError
from engine.files import atomic_path
from engine.languages import LANGUAGES
from engine.project import Project
from engine.text import clean
from engine.training import checkpoint, runs
from engine.training.checkpoint import Checkpoint
from engine.xtts import base as bases
from engine.xtts import load, voice

OUTPUT_RATE = 24_000


@dataclass(frozen=True)
class Spoken:
    """A spoken text: `seconds` of audio in the file `path`, with the weights of `step`."""

    path: Path
    seconds: float
    step: int


def chosen_checkpoint(project: Project, which: str) -> tuple[Path, Checkpoint]:
    """The run and the verified checkpoint for "best", "last" or a step. Raises InputError."""
    run = runs.latest_with_checkpoints(project)
    if run is None:
        raise InputError(
            f"{clean(str(project.folder))} has no checkpoint yet. Train first with 'voicetui train'."
        )
    return run, checkpoint.pick(run, which)


def synthesizer(base: Path, saved: Checkpoint) -> Any:
    """coqui's Xtts with the weights of a checkpoint, on CPU."""
    weights = checkpoint.load_tensors(saved, checkpoint.WEIGHTS)
    gpt = load.gpt_from(base, weights, saved.folder / checkpoint.WEIGHTS)
    return load.synthesizer_of(base, gpt)


def say(
    project: Project, text: str, out: Path, *, checkpoint: str = "best", seed: int = 0
) -> Spoken:
    """Speak a text into a 24 kHz wav file. Raises InputError, DatasetError and FailedError."""
    if not text.strip():
        raise InputError("There is nothing to say: the text is empty.")
    if project.language not in LANGUAGES:
        raise InputError(
            f"Speaking {clean(project.language)} is not possible yet: coqui has no text rules for it. "
            "Export the voice and speak with tokens of your own."
        )
    _, saved = chosen_checkpoint(project, checkpoint)
    base = bases.locate(project.base_reference)
    import torch

    model = synthesizer(base, saved)
    device = (
        "cuda" if torch.cuda.is_available() and project.settings.training.device != "cpu" else "cpu"
    )
    model.to(device)
    heard = voice.latents(model, voice.references(project))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        spoken = model.inference(
            text,
            project.language,
            heard.gpt,
            heard.speaker,
            temperature=model.config.temperature,
            length_penalty=float(model.config.length_penalty),
            repetition_penalty=float(model.config.repetition_penalty),
            top_k=model.config.top_k,
            top_p=model.config.top_p,
            enable_text_splitting=True,
        )
    wav = spoken["wav"]
    if not len(wav):
        raise FailedError("The model said nothing. Try another checkpoint or another text.")
    with atomic_path(out) as draft:
        soundfile.write(draft, wav, OUTPUT_RATE, format="WAV", subtype="PCM_16")
    return Spoken(out, len(wav) / OUTPUT_RATE, saved.step)
