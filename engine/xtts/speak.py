"""Speaking with a checkpoint of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import soundfile

from engine import languages
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
from engine.xtts import kept_voices, load, voice
from engine.xtts.phrases import split
from engine.xtts.vocab import SpeechTokenizer

if TYPE_CHECKING:
    import torch

KIND = "speak"
OUTPUT_RATE = 24_000
# The least of coqui's limits (`VoiceBpeTokenizer.char_limits`) among languages that write sounds.
_NEW_LANGUAGE_CHARACTERS = 150


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
    earlier: str = "",
) -> Session:
    """A session that speaks a text with the checkpoint "best", "last" or of a step.

    `earlier` names a voice that the base keeps, to speak in place of the project's. The wav is
    `out`, or `runs/NNNN/samples/step-000400-<number of the job>.wav`. It does not hold the project.
    `on_cpu` speaks in a process of its own on the CPU: ask for it while a run lives, which keeps its
    GPU memory and its random numbers to itself. Raises InputError and RefusedError before there is
    a job.
    """
    _check(project, text)
    if out is not None:
        check_out(out)
    run, saved = chosen_checkpoint(project, which)
    folder = new_folder(project.jobs_dir, KIND)
    number = int(folder.name.partition("-")[0])
    chosen = f"{run.name}/{saved.step}"
    path = out or run / SAMPLES / f"step-{saved.step:06d}-{number}.wav"

    def work(job: Job) -> Finished:
        make_dirs(path.parent)
        seconds, step = _say_for(job, project, text, path, chosen, seed, on_cpu, earlier)
        job.emit(Spoke(str(path), text, step, round(seconds, 2)))
        return Finished({"step": step, "audio_seconds": round(seconds, 1)})

    return Session(Job(folder, KIND), work)


def _say_for(
    job: Job,
    project: Project,
    text: str,
    out: Path,
    which: str,
    seed: int,
    on_cpu: bool,
    earlier: str,
) -> tuple[float, int]:
    check = job.control.raise_if_stopped
    if on_cpu:
        from engine.xtts import speak_process

        return speak_process.say(
            project, text, out, which=which, earlier=earlier, seed=seed, check=check, emit=job.emit
        )
    spoken = say(
        project, text, out, which=which, earlier=earlier, seed=seed, check=check, emit=job.emit
    )
    return spoken.seconds, spoken.step


def _check(project: Project, text: str) -> None:
    """Raise InputError for what cannot be spoken."""
    check_text(text)
    _check_language(project, project.language)


def check_text(text: str) -> None:
    """Raise InputError for an empty text."""
    if not text.strip():
        raise InputError("There is nothing to say: the text is empty.")


def _check_language(project: Project, language: str) -> None:
    if not languages.is_known(language, bases.vocab_of(project.base_reference)):
        raise InputError(
            f"The base of {clean(str(project.folder))} does not know {clean(language)} yet. "
            "Run 'voicetui vocab', then train again."
        )


def check_out(out: Path) -> None:
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
    earlier: str = "",
    language: str = "",
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
    emit: Callable[[Event], None] = lambda _: None,
) -> Spoken:
    """Speak a text into a 24 kHz wav file with the checkpoint "best", "last" or of a step.

    `earlier` names a voice that the base keeps, to speak in place of the project's, by default in
    the `language` that it was trained in. `check` is called between pieces of work and may raise to
    stop; `emit` gets the stages. Raises InputError, RefusedError, DatasetError and FailedError.
    """
    check_text(text)
    check_out(out)
    _, saved = chosen_checkpoint(project, which)
    base = base_of(project, saved)
    kept = earlier if earlier != project.name else ""
    spoken = language or kept_voices.language_of(base, kept) or project.language
    _check_language(project, spoken)
    heard = kept_voices.latents_of(base, kept, [project.name]) if kept else None
    emit(Stage("loading"))
    model = synthesizer(base, weights_of(saved, check), saved.folder)
    model.to(device(project.settings.training.device))
    if heard is None:
        heard = voice.latents(model, voice.references(project))
    seconds = write_speech(model, base, text, spoken, heard, out, seed=seed, check=check, emit=emit)
    return Spoken(out, seconds, saved.step)


def device(wanted: str) -> str:
    """Where a model speaks."""
    import torch

    return "cuda" if torch.cuda.is_available() and wanted != "cpu" else "cpu"


def write_speech(
    model: Any,
    base: Path,
    text: str,
    language: str,
    heard: voice.Latents,
    out: Path,
    *,
    seed: int,
    check: Callable[[], None],
    emit: Callable[[Event], None] = lambda _: None,
) -> float:
    """Speak a text with coqui's Xtts `model` of a base, phrase by phrase; gives the seconds.

    Raises FailedError when the model says nothing.
    """
    import torch

    limit = _NEW_LANGUAGE_CHARACTERS
    if language in LANGUAGES:
        limit = model.tokenizer.char_limits[language.partition("-")[0]]
    else:
        model.tokenizer = SpeechTokenizer(base, language)
    phrases = split(text, limit)
    emit(Stage("speaking", len(phrases), "phrases"))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        wavs = []
        for number, phrase in enumerate(phrases, 1):
            check()
            wavs.append(_speak(model, phrase, language, heard))
            emit(Progress("speaking", number, len(phrases), "phrases"))
    wav = np.concatenate(wavs)
    if not len(wav):
        raise FailedError("The model said nothing. Try another checkpoint or another text.")
    with atomic_path(out) as draft:
        soundfile.write(draft, wav, OUTPUT_RATE, format="WAV", subtype="PCM_16")
    return len(wav) / OUTPUT_RATE


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
