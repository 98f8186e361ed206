"""The totals of a dataset, as `dataset/summary.json` holds them and Home shows them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.dataset import accounting
from engine.dataset.accounting import Recording
from engine.dataset.findings import finding as findings
from engine.dataset.metadata import Listed

if TYPE_CHECKING:
    from engine.dataset.statistics import Statistics

FILE_NAME = "summary.json"


def summarise(
    clips: Sequence[Listed],
    recordings: Sequence[Recording],
    *,
    speech_seconds: float,
    unknown: Mapping[str, int],
    orphans: int,
) -> dict[str, Any]:
    """Totals as plain JSON values; times in seconds, those of the recordings to the millisecond.

    `unknown` counts the clips with each character that the tokenizer does not know, `orphans` the
    edits that found no clip.
    """
    states = Counter(each.state for each in recordings)
    pieces = [each.pieces for each in recordings]
    return {
        "sources": states["used"],
        "failed_sources": states["failed"],
        "duplicate_sources": states["duplicate"],
        "speech_seconds": round(speech_seconds, 1),
        **of_clips(clips),
        **accounting.totals(recordings),
        "speech_spans": sum(each.spans for each in pieces),
        "merged_sentences": sum(each.merged for each in pieces),
        "extended_pieces": sum(len(each.extended) for each in pieces),
        "too_short_pieces": sum(each.too_short for each in pieces),
        "too_long_pieces": sum(each.too_long for each in pieces),
        "unknown_characters": dict(unknown),
        "orphaned_edits": orphans,
    }


def read(folder: Path) -> dict[str, Any]:
    """The totals of a dataset folder; none where they are not written."""
    try:
        totals = json.loads((folder / FILE_NAME).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return totals if isinstance(totals, dict) else {}


def of_clips(clips: Sequence[Listed]) -> dict[str, Any]:
    """The part of the totals that the clips alone make, which an edit changes."""
    kept = [clip for clip in clips if clip.state != "dropped"]
    dropped = [clip for clip in clips if clip.state == "dropped"]
    return {
        "kept_clips": len(kept),
        "suspect_clips": sum(clip.state == "suspect" for clip in kept),
        "kept_seconds": _seconds(kept),
        "train_clips": len(_of(kept, "train")),
        "train_seconds": _seconds(_of(kept, "train")),
        "eval_clips": len(_of(kept, "eval")),
        "eval_seconds": _seconds(_of(kept, "eval")),
        "average_seconds": round(_seconds(kept) / max(1, len(kept)), 2),
        "dropped_clips": len(dropped),
        "dropped_seconds": _seconds(dropped),
        "dropped_by_reason": {
            reason: {"clips": len(group), "seconds": _seconds(group)}
            for reason in sorted({clip.reason for clip in dropped})
            if (group := [clip for clip in dropped if clip.reason == reason])
        },
    }


def of_statistics(found: Statistics) -> dict[str, Any]:
    """The part of the totals that says what the clips are like and what to mend first.

    It is as the last preparation found it: an edit does not change it.
    """
    coverage = asdict(found.coverage)
    del coverage["characters"]
    return {"coverage": coverage, "findings": findings.as_values(found.findings)}


def _of(clips: Sequence[Listed], split: str) -> list[Listed]:
    return [clip for clip in clips if clip.split == split]


def _seconds(clips: Sequence[Listed]) -> float:
    return sum(round(clip.end * 1000) - round(clip.start * 1000) for clip in clips) / 1000
