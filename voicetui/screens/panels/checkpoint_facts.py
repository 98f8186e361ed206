"""What a checkpoint holds and was made of, as labelled rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.text import clean
from engine.training.saved import Saved
from voicetui.amounts import duration, size

Row = tuple[str, str]


def facts_of(saved: Saved) -> list[Row]:
    """The facts of a checkpoint's manifest; what is wrong with one that is damaged."""
    rows: list[Row] = [("folder", clean(str(saved.folder)))]
    if saved.checkpoint is None:
        return [("damaged", clean(saved.damage)), *rows]
    held = saved.checkpoint
    progress = held.progress
    rows.append(("step", f"{progress.step:,}, after {progress.clips:,} clips"))
    rows.append(("epochs", f"{progress.epoch} whole, {progress.position} steps of the next one"))
    rows.append(("trained for", duration(progress.seconds)))
    if saved.loss is not None:
        rows.append(("held-out loss", f"{saved.loss:.4f}"))
    if progress.best_loss is not None:
        rows.append(("best by then", f"{progress.best_loss:.4f} at step {progress.best_step}"))
    for name, entry in held.files.items():
        rows.append((clean(name).partition(".")[0], size(int(entry["size"]))))
    for name in ("settings", "versions", "device"):
        rows += _listed(name, held.facts.get(name))
    return rows


def _listed(name: str, values: Any) -> list[Row]:
    if not isinstance(values, Mapping):
        return [] if values is None else [(name, clean(str(values)))]
    return [("", ""), *((clean(str(key)), clean(str(value))) for key, value in values.items())]
