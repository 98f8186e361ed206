"""The base that a project owns, `my-voice/base/`: a copy with a larger vocabulary.

`vocabulary.json` beside the six files tells what it was made from.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DamagedError
from engine.text import clean

FOLDER = "base"
FILE_NAME = "vocabulary.json"


@dataclass(frozen=True)
class Origin:
    """What a project's own base was made from; `base` as project.toml named it."""

    base: str
    licence: str
    language: str
    new_tokens: int
    vocab_sha256: str


def read(base: Path) -> Origin | None:
    """The origin of a base folder, None when no project made it. Raises DamagedError."""
    path = base / FILE_NAME
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_bytes())
        return Origin(**{field.name: document[field.name] for field in dataclasses.fields(Origin)})
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(
            f"{clean(str(path))} is damaged ({clean(str(error))}). Delete the folder "
            f"{clean(str(base))}, set base in project.toml back to the one before, and run "
            "'voicetui vocab' again."
        ) from error
