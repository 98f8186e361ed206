"""Paths as people type and read them."""

from __future__ import annotations

import os
from pathlib import Path


def path_of(text: str) -> Path:
    """The absolute path that a person typed; ~ is the home."""
    return Path(os.path.abspath(os.path.expanduser(text.strip())))


def short(path: str | Path) -> str:
    """A path as people write it, with ~ for the home."""
    text, home = str(path), str(Path.home())
    return f"~{text[len(home) :]}" if text == home or text.startswith(home + os.sep) else text
