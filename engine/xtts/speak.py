"""Speaking with a checkpoint of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import soundfile

from engine.errors import FailedError, InputError, RefusedError
from engine.files import atomic_path
from engine.languages import LANGUAGES
from engine.project import Project
from engine.text import clean
from engine.training import checkpoint, runs
from engine.training.checkpoint import Checkpoint
from engine.xtts import base as bases
from engine.xtts import load, voice
from engine.xtts.phrases import split

if TYPE_CHECKING:
    import torch

OUTPUT_RATE = 24_000


@dataclass(frozen=True)
class Spoken:
    """A spoken text: `seconds` of audio in the file `path`, with the weights of `step`."""

    path: Path
    seconds: float
    step: int


def chosen_checkpoint(project: Project, which: str) -> tuple[Path, Checkpoint]:
    """The run and the checkpoint for "best", "last" or a step. Raises InputError, RefusedError."""
    run = runs.latest_with_checkpoints(project)
    if run is None:
        raise InputError(
            f"{clean(str(project.folder))} has no checkpoint yet. Train first with 'voicetui train'."
        )
    return run, checkpoint.pick(run, which)


def base_of(project: Project, saved: Checkpoint) -> Path:
    """The base that a checkpoint was trained from. Raises RefusedError when it is another by now."""
    base = bases.locate(project.base_reference)
    if bases.identity(base) != saved.facts["base"]:
        raise RefusedError(
            f"The base {clean(project.base)} is not the one that step {saved.step} was trained from. "
            "Set base in project.toml back to that one, or train again."
        )
    return base


def weights_of(saved: Checkpoint, check: Callable[[], None]) -> dict[str, torch.Tensor]:
    """The verified weights of a checkpoint, mapped from disk. Raises DamagedError, RefusedError."""
    tensors = checkpoint.load_tensors(saved, checkpoint.WEIGHTS)
    checkpoint.verify(saved, check, checkpoint.WEIGHTS)
    return tensors


def synthesizer(base: Path, trained: Mapping[str, torch.Tensor], origin: Path) -> Any:
    """coqui's Xtts with trained weights, which came from `origin`, on CPU."""
    return load.synthesizer_of(base, load.gpt_from(base, trained, origin))


def say(
    project: Project,
    text: str,
    out: Path,
    *,
    which: str = "best",
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> Spoken:
    """Speak a text into a 24 kHz wav file with the checkpoint "best", "last" or of a step.

    `check` is called between pieces of work and may raise to stop. Raises InputError, RefusedError,
    DatasetError and FailedError.
    """
    if not text.strip():
        raise InputError("There is nothing to say: the text is empty.")
    if out.suffix.lower() != ".wav" or not out.parent.is_dir():
        raise InputError(
            f"{clean(str(out))} cannot be written: name a .wav file in a folder that exists."
        )
    if project.language not in LANGUAGES:
        raise InputError(
            f"Speaking {clean(project.language)} is not possible yet: coqui has no text rules for it. "
            "Export the voice and speak with tokens of your own."
        )
    _, saved = chosen_checkpoint(project, which)
    base = base_of(project, saved)
    import torch

    model = synthesizer(base, weights_of(saved, check), saved.folder)
    device = (
        "cuda" if torch.cuda.is_available() and project.settings.training.device != "cpu" else "cpu"
    )
    model.to(device)
    heard = voice.latents(model, voice.references(project))
    phrases = split(text, model.tokenizer.char_limits[project.language.partition("-")[0]])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        wavs = []
        for phrase in phrases:
            check()
            wavs.append(_speak(model, phrase, project.language, heard))
    wav = np.concatenate(wavs)
    if not len(wav):
        raise FailedError("The model said nothing. Try another checkpoint or another text.")
    with atomic_path(out) as draft:
        soundfile.write(draft, wav, OUTPUT_RATE, format="WAV", subtype="PCM_16")
    return Spoken(out, len(wav) / OUTPUT_RATE, saved.step)


def _speak(model: Any, phrase: str, language: str, heard: voice.Latents) -> npt.NDArray[np.float32]:
    config = model.config
    spoken = model.inference(
        phrase,
        language,
        heard.gpt,
        heard.speaker,
        temperature=config.temperature,
        length_penalty=float(config.length_penalty),
        repetition_penalty=float(config.repetition_penalty),
        top_k=config.top_k,
        top_p=config.top_p,
    )
    return np.atleast_1d(np.asarray(spoken["wav"], np.float32))
