"""The one file that decides where things live outside a project (XDG base directories)."""

from __future__ import annotations

import os
from pathlib import Path


def _xdg(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    # The XDG specification says that relative paths must be ignored.
    root = Path(value) if os.path.isabs(value) else Path.home() / fallback
    return root / "voicetui"


def models_dir(family: str) -> Path:
    """Folder of the models of one family ("xtts", "whisper", "rvc")."""
    return _xdg("XDG_DATA_HOME", ".local/share") / "models" / family


def config_dir() -> Path:
    """Settings and a person's own profiles."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def state_dir() -> Path:
    """What is remembered between sessions: recent projects, accepted licences."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def cache_dir() -> Path:
    """What can be rebuilt at will."""
    return _xdg("XDG_CACHE_HOME", ".cache")
