"""What was made of the checkpoints: the exports, and the sentences that they spoke."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.text import clean
from engine.training.saved import Export
from voicetui.amounts import size
from voicetui.typed import short
from voicetui.widgets.styled import Line, fitted

_EXPORTS_SHOWN, _SAMPLES_SHOWN = 5, 3


def made_lines(
    folder: Path, exports: Sequence[Export], samples: Sequence[Path], width: int
) -> list[Line]:
    """Both lists of the project in a folder, newest first, the longer ones cut."""
    return [*_export_lines(folder, exports, width), *_sample_lines(samples, width)]


def _export_lines(folder: Path, exports: Sequence[Export], width: int) -> list[Line]:
    lines: list[Line] = [[], [(" EXPORTS".ljust(width), "head")]]
    for export in exports[:_EXPORTS_SHOWN]:
        step = f"step {export.step:,}" if export.step is not None else "step unknown"
        run = f"run {export.run}" if export.run else ""
        lines.append(
            [
                ("   ", ""),
                (fitted(export.folder.name, 24), "bold"),
                (fitted(f"{step}  {run}", 24), ""),
                (fitted(size(export.bytes), 9, right=True), ""),
                (f"  {clean(short(export.folder))}", "dim"),
            ]
        )
    if len(exports) > _EXPORTS_SHOWN:
        more = len(exports) - _EXPORTS_SHOWN
        lines.append([(f"   and {more} more in {clean(short(folder / 'export'))}", "dim")])
    if not exports:
        lines.append([("   none yet; o exports the checkpoint under the cursor", "dim")])
    return lines


def _sample_lines(samples: Sequence[Path], width: int) -> list[Line]:
    if not samples:
        return []
    lines: list[Line] = [[], [(" SPOKEN, NEWEST FIRST".ljust(width), "head")]]
    lines += [[(f"   {clean(short(path))}", "")] for path in samples[:_SAMPLES_SHOWN]]
    if len(samples) > _SAMPLES_SHOWN:
        lines.append([(f"   and {len(samples) - _SAMPLES_SHOWN} more beside them", "dim")])
    return lines
