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
from engine.events import Event, Finished, Progress, Spoke, Stage
from engine.files import atomic_path, make_dirs, safe_join
from engine.jobs import Job, new_folder
from engine.languages import LANGUAGES
from engine.project import Project
from engine.session import Session
from engine.text import clean
from engine.training import checkpoint, runs
from engine.training.checkpoint import Checkpoint
from engine.training.saved import SAMPLES
from engine.xtts import base as bases
from engine.xtts import load, voice
from engine.xtts.phrases import split

if TYPE_CHECKING:
    import torch

KIND = "speak"
OUTPUT_RATE = 24_000


@dataclass(frozen=True)
class Spoken:
    """A spoken text: `seconds` of audio in the file `path`, with the weights of `step`."""

    path: Path
    seconds: float
    step: int


def chosen_checkpoint(project: Project, which: str) -> tuple[Path, Checkpoint]:
    """The run and the checkpoint for "best", "last" or a step. Raises InputError, RefusedError.

    They are those of the newest run with checkpoints; "0001/400" names another run's.
    """
    name, _, which = which.rpartition("/")
    named = safe_join(project.runs_dir, name) if name else None
    run = named or runs.latest_with_checkpoints(project)
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


def session(
    project: Project,
    text: str,
    which: str = "best",
    out: Path | None = None,
    seed: int = 0,
    on_cpu: bool = False,
) -> Session:
    """A session that speaks a text with the checkpoint "best", "last" or of a step.

    The wav is `out`, or `runs/NNNN/samples/step-000400-<number of the job>.wav`. It does not hold
    the project. `on_cpu` speaks in a process of its own on the CPU: ask for it while a run lives,
    which keeps its GPU memory and its random numbers to itself. Raises InputError and RefusedError
    before there is a job.
    """
    _check(project, text)
    if out is not None:
        _check_out(out)
    run, saved = chosen_checkpoint(project, which)
    folder = new_folder(project.jobs_dir, KIND)
    number = int(folder.name.partition("-")[0])
    chosen = f"{run.name}/{saved.step}"
    path = out or run / SAMPLES / f"step-{saved.step:06d}-{number}.wav"

    def work(job: Job) -> Finished:
        make_dirs(path.parent)
        seconds, step = _say_for(job, project, text, path, chosen, seed, on_cpu)
        job.emit(Spoke(str(path), text, step, round(seconds, 2)))
        return Finished({"step": step, "audio_seconds": round(seconds, 1)})

    return Session(Job(folder, KIND), work)


def _say_for(
    job: Job, project: Project, text: str, out: Path, which: str, seed: int, on_cpu: bool
) -> tuple[float, int]:
    check = job.control.raise_if_stopped
    if on_cpu:
        from engine.xtts import speak_process

        return speak_process.say(
            project, text, out, which=which, seed=seed, check=check, emit=job.emit
        )
    spoken = say(project, text, out, which=which, seed=seed, check=check, emit=job.emit)
    return spoken.seconds, spoken.step


def _check(project: Project, text: str) -> None:
    """Raise InputError for what cannot be spoken."""
    if not text.strip():
        raise InputError("There is nothing to say: the text is empty.")
    if project.language not in LANGUAGES:
        raise InputError(
            f"Speaking {clean(project.language)} is not possible yet: coqui has no text rules for it. "
            "Export the voice and speak with tokens of your own."
        )


def _check_out(out: Path) -> None:
    if out.suffix.lower() != ".wav" or not out.parent.is_dir():
        raise InputError(
            f"{clean(str(out))} cannot be written: name a .wav file in a folder that exists."
        )


def say(
    project: Project,
    text: str,
    out: Path,
    *,
    which: str = "best",
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
    emit: Callable[[Event], None] = lambda _: None,
) -> Spoken:
    """Speak a text into a 24 kHz wav file with the checkpoint "best", "last" or of a step.

    `check` is called between pieces of work and may raise to stop; `emit` gets the stages. Raises
    InputError, RefusedError, DatasetError and FailedError.
    """
    _check(project, text)
    _check_out(out)
    _, saved = chosen_checkpoint(project, which)
    base = base_of(project, saved)
    emit(Stage("loading"))
    import torch

    model = synthesizer(base, weights_of(saved, check), saved.folder)
    device = (
        "cuda" if torch.cuda.is_available() and project.settings.training.device != "cpu" else "cpu"
    )
    model.to(device)
    heard = voice.latents(model, voice.references(project))
    phrases = split(text, model.tokenizer.char_limits[project.language.partition("-")[0]])
    emit(Stage("speaking", len(phrases), "phrases"))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        wavs = []
        for number, phrase in enumerate(phrases, 1):
            check()
            wavs.append(_speak(model, phrase, project.language, heard))
            emit(Progress("speaking", number, len(phrases), "phrases"))
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
