"""Speaking with an export, without its project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine import languages
from engine.errors import InputError
from engine.text import clean
from engine.xtts import base as bases
from engine.xtts import card, kept_voices, load, speak
from engine.xtts.speak import Spoken


def is_export(folder: Path) -> bool:
    """Whether a folder is a model that `voicetui export` wrote."""
    names = (card.FILE_NAME, *bases.FILES)
    return all((folder / name).is_file() for name in names)


def say(
    folder: Path,
    text: str,
    out: Path,
    *,
    voice: str = "",
    language: str = "",
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> Spoken:
    """Speak a text into a 24 kHz wav file with a voice that an export has learned, else its own.

    `check` is called between pieces of work and may raise to stop. Raises InputError, DamagedError,
    BaseModelError and FailedError.
    """
    speak.check_text(text)
    speak.check_out(out)
    own = card.lineage_of(folder)[-1]
    name = voice or own["voice"]
    code = language or kept_voices.language_of(folder, name) or own.get("language", "")
    if not languages.is_known(code, folder / "vocab.json"):
        raise InputError(
            f"{clean(str(folder))} does not know the language {clean(code)!r}. Name one that it "
            "knows with --language."
        )
    heard = kept_voices.latents_of(folder, name)
    check()
    model = load.synthesizer_of(folder, load.gpt_of(folder))
    model.to(speak.device("auto"))
    seconds = speak.write_speech(model, folder, text, code, heard, out, seed=seed, check=check)
    return Spoken(out, seconds, own.get("step", 0))
