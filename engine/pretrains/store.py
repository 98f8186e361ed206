"""The pretrains on this machine: a folder each, with a record of what was seen when it came."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.pretrains.entry import Entry, Role
from engine.pretrains.facts import Facts

RECORD = "pretrain.json"


@dataclass(frozen=True)
class StoredFile:
    """A file of a stored pretrain; `path` is relative to its folder, `size` in bytes.

    Beside it stands `<role>.safetensors` with its plain tensors, the only form that is read again.
    """

    role: Role
    path: str
    size: int
    sha256: str
    facts: Facts


@dataclass(frozen=True)
class Stored:
    """A pretrain on this machine. `commit` is that of the hub, or "" when it came otherwise.

    `since` is an ISO time; `lineage` says what a merged one was made from, a line each.
    """

    folder: Path
    entry: Entry
    came: Literal["fetched", "imported", "merged"]
    commit: str
    since: str
    files: tuple[StoredFile, ...]
    lineage: tuple[str, ...] = ()
