"""The tables of a dataset, all of them derived: what training and other tools read.

They are written under the lock of the dataset folder (`edits.hold`), and `clips.jsonl` last: until
it is there the dataset is as it was, and a journal of edits makes up for what it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.dataset import accounting, clips, metadata, summary
from engine.dataset.accounting import Recording
from engine.dataset.metadata import Listed
from engine.files import sync_dir, write_bytes, write_json

SPLITS = ("train", "eval")


def retract(folder: Path) -> None:
    """Take the tables away before what they stand on changes.

    Whoever reads the dataset of a run that was killed then finds none, instead of a wrong one.
    """
    names = (
        clips.FILE_NAME,
        summary.FILE_NAME,
        accounting.FILE_NAME,
        *(metadata.file_name(split) for split in SPLITS),
    )
    for name in names:
        (folder / name).unlink(missing_ok=True)
    sync_dir(folder)


def write_others(
    folder: Path,
    listed: Sequence[Listed],
    recordings: Sequence[Recording],
    totals: Mapping[str, Any],
) -> None:
    """Write all tables but that of the clips, where they change. Raises DiskFullError."""
    for split in SPLITS:
        write_changed(folder / metadata.file_name(split), metadata.table(listed, split).encode())
    write_changed(folder / accounting.FILE_NAME, accounting.encode(recordings))
    write_json(folder / summary.FILE_NAME, dict(totals))


def write_changed(path: Path, content: bytes) -> None:
    """Write a file, unless it holds just that. Raises DiskFullError."""
    if not path.is_file() or path.read_bytes() != content:
        write_bytes(path, content)
