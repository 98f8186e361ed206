"""What the console remembers of a person's choices between sessions."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from dataclasses import dataclass, field

from engine import places
from engine.errors import DiskFullError
from engine.files import write_json

FILE_NAME = "console.json"


@dataclass(frozen=True)
class Preferences:
    """`sentences` are what voices are tried with, by language; others take the language's own."""

    theme: str = "voicetui-dark"
    sentences: dict[str, str] = field(default_factory=dict)


def load() -> Preferences:
    """The choices of the last session; the defaults where the file is missing or broken."""
    try:
        found = json.loads((places.state_dir() / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return Preferences()
    if not isinstance(found, dict):
        return Preferences()
    theme, sentences = found.get("theme"), found.get("sentences")
    chosen = Preferences()
    if isinstance(theme, str):
        chosen = dataclasses.replace(chosen, theme=theme)
    if isinstance(sentences, dict) and all(isinstance(text, str) for text in sentences.values()):
        chosen = dataclasses.replace(chosen, sentences=sentences)
    return chosen


def save(preferences: Preferences) -> None:
    """Remember the choices. A state folder that cannot be written costs only the memory."""
    with contextlib.suppress(OSError, DiskFullError):
        write_json(places.state_dir() / FILE_NAME, dataclasses.asdict(preferences))
