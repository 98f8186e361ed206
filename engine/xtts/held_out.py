"""The held-out clips that a voice leaves in its export, to measure later how much is forgotten.

    held_out/<voice>/clips.json     the voice, and the text and language of each clip
    held_out/<voice>/clip-01.wav    22,050 Hz mono

A training on that export as its base measures them, and its own export takes them along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.dataset.clips import Clip
from engine.errors import DamagedError
from engine.files import copy_file, safe_join, sha256_file, write_json
from engine.text import clean
from engine.xtts import card

if TYPE_CHECKING:
    import torch

    from engine.xtts.features import Features

FOLDER = "held_out"
_LIST = "clips.json"
# Enough to see a change of a few percent, little beside the gigabytes of the model.
MOST_CLIPS = 5
MOST_SECONDS = 30.0
# What the text positions of XTTS hold; the clips were trained on, so they are shorter.
_MOST_TOKENS = 400


@dataclass(frozen=True)
class HeldOutClip:
    """A clip of an earlier voice; `wav` is relative to the voice's folder."""

    id: str
    wav: str
    text: str
    language: str
    split: str = "eval"


@dataclass(frozen=True)
class HeldOut:
    """The clips of one earlier voice, in their folder below the base."""

    voice: str
    folder: Path
    clips: tuple[HeldOutClip, ...]


def choose(listed: Iterable[Clip]) -> list[Clip]:
    """The best-judged held-out clips, 5 of them or 30 s at most; one always."""
    chosen: list[Clip] = []
    held_out = [clip for clip in listed if clip.split == "eval"]
    for clip in sorted(held_out, key=_rank):
        seconds = sum(each.seconds for each in chosen) + clip.seconds
        if len(chosen) < MOST_CLIPS and (not chosen or seconds <= MOST_SECONDS):
            chosen.append(clip)
    return chosen


def _rank(clip: Clip) -> tuple[bool, float, str]:
    return clip.state != "kept", -clip.scores.get("confidence", 0.0), clip.id


def read(base: Path) -> list[HeldOut]:
    """The clips of the voices that a base learned before, checked against its card's hashes.

    A base without any has none. Raises DamagedError and InputError.
    """
    hashes = card.of(base).get("files", {})
    found = [_read(path, base, hashes) for path in sorted(base.glob(f"{FOLDER}/*/{_LIST}"))]
    names = [each.voice for each in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DamagedError(
            f"{clean(str(base / FOLDER))} holds the voice {clean(twice)!r} twice. Delete one of its "
            "folders."
        )
    return found


def _read(path: Path, base: Path, hashes: dict[str, str]) -> HeldOut:
    folder = path.parent
    try:
        document = json.loads(path.read_bytes())
        clips = tuple(
            HeldOutClip(f"{document['voice']}-{number}", *map(str, _fields(row)))
            for number, row in enumerate(document["clips"], 1)
        )
        found = HeldOut(str(document["voice"]), folder, clips)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(_damaged(path, str(error), folder)) from error
    for wav in [path, *(safe_join(folder, clip.wav) for clip in clips)]:
        expected = hashes.get(wav.relative_to(base).as_posix())
        if not wav.is_file() or (expected and sha256_file(wav) != expected):
            raise DamagedError(_damaged(wav, "it is not what the base's card says", folder))
    return found


def _fields(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    return row["wav"], row["text"], row["language"]


def _damaged(path: Path, why: str, folder: Path) -> str:
    return (
        f"{clean(str(path))} is damaged ({clean(why)}). Copy the base again, or delete "
        f"{clean(str(folder))} to train without measuring how much of that voice is forgotten."
    )


def write(
    draft: Path, voice: str, dataset: Path, chosen: Sequence[Clip], earlier: Sequence[HeldOut]
) -> None:
    """Write the clips of a voice into an export, and take those of the earlier voices along.

    Those of an earlier voice of the same name give way. Raises DiskFullError.
    """
    taken: set[str] = set()
    for each in earlier:
        if each.voice != voice:
            wavs = [(each.folder / clip.wav, clip.text, clip.language) for clip in each.clips]
            _write(draft / FOLDER / _folder_name(each.voice, taken), each.voice, wavs)
    if chosen:
        wavs = [(dataset / clip.wav, clip.text, clip.language) for clip in chosen]
        _write(draft / FOLDER / _folder_name(voice, taken), voice, wavs)


def _write(folder: Path, voice: str, wavs: Sequence[tuple[Path, str, str]]) -> None:
    rows = []
    for number, (wav, text, language) in enumerate(wavs, 1):
        name = f"clip-{number:02d}.wav"
        copy_file(wav, folder / name)
        rows.append({"wav": name, "text": text, "language": language})
    write_json(folder / _LIST, {"format": 1, "voice": voice, "clips": rows})


def _folder_name(voice: str, taken: set[str]) -> str:
    """The name of a voice in letters that every system takes, once only."""
    stem = re.sub(r"[^\w-]+", "-", voice).strip("-")[:60] or "voice"
    name, number = stem, 2
    while name.casefold() in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name.casefold())
    return name


def features(
    held_out: HeldOut,
    cache: Path,
    base: Path,
    device: torch.device,
    check: Callable[[], None],
) -> Features:
    """What the network reads of the clips of an earlier voice, from the `cache` folder if there."""
    from engine.xtts import features as built

    return built.build(
        cache / held_out.folder.name,
        held_out.folder,
        held_out.clips,
        base,
        max_tokens=_MOST_TOKENS,
        device=device,
        progress=lambda *_: None,
        check=check,
    )
