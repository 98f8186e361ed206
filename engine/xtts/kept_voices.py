"""The voices that a base or an export keeps in its speakers_xtts.pth, ready to speak."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine import weights
from engine.errors import BaseModelError, InputError
from engine.project import Project
from engine.text import clean, did_you_mean
from engine.xtts import base as bases
from engine.xtts import card
from engine.xtts.voice import Latents

_FILE = "speakers_xtts.pth"
# coqui's release keeps 58 voices of its own; enough of them to see what they are called like.
_SHOWN = 5


def latents_of(folder: Path, name: str, learned: Iterable[str] = ()) -> Latents:
    """What a base or an export keeps of a voice, as tensors.

    `learned` are voices to list beside those of the folder's lineage when there is none of that
    name. Raises InputError, and BaseModelError when what is kept is no voice.
    """
    kept = weights.load(folder / _FILE)
    if name not in kept:
        raise InputError(
            _unknown(folder, name, [*card.epochs_of(card.lineage_of(folder)), *learned], kept)
        )
    try:
        found = Latents(kept[name]["gpt_cond_latent"], kept[name]["speaker_embedding"])
        fits = found.gpt.dim() == 3 and found.speaker.dim() == 3
    except (KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise BaseModelError(
            f"{clean(str(folder / _FILE))} keeps no latents of {clean(name)!r} that can speak. "
            "Copy the base again, or export that voice again."
        )
    return found


def learned_before(project: Project) -> dict[str, str]:
    """The voices that the base of a project learned before its own, with their languages.

    Raises BaseModelError when the base is not on this machine, DamagedError when its card is broken.
    """
    base = bases.locate(project.base_reference)
    names = card.epochs_of(card.lineage_of(base))
    return {name: language_of(base, name) for name in names if name != project.name}


def language_of(folder: Path, name: str) -> str:
    """The language that a voice of the folder's lineage was last trained in, or ""."""
    spoken = [each.get("language", "") for each in card.lineage_of(folder) if each["voice"] == name]
    return spoken[-1] if spoken else ""


def _unknown(folder: Path, name: str, learned: list[str], kept: Iterable[str]) -> str:
    others = sorted(set(kept) - set(learned))
    hint = did_you_mean(name, [*learned, *others])
    parts = [f"There is no voice called {clean(name)!r} here.{hint}"]
    if learned:
        parts.append(f"It has learned: {clean(', '.join(dict.fromkeys(learned)))}.")
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        shown = clean(", ".join(others[:_SHOWN]))
        parts.append(f"{clean(str(folder))} also came with: {shown}{more}.")
    return " ".join(parts)
