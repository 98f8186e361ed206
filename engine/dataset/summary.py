"""The totals of a dataset, as `dataset/summary.json` holds them and Home shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from engine.dataset.metadata import Listed

FILE_NAME = "summary.json"


def summarise(
    clips: Sequence[Listed],
    *,
    seconds: float,
    speech_seconds: float,
    sources: int,
    failed: int,
    duplicates: int,
    unknown: Counter[str],
    orphans: int,
) -> dict[str, Any]:
    """Totals as plain JSON values; times in seconds.

    `unknown` counts the clips with each character that the tokenizer does not know, `orphans` the
    edits that found no clip.
    """
    return {
        "sources": sources,
        "failed_sources": failed,
        "duplicate_sources": duplicates,
        "input_seconds": round(seconds, 1),
        "speech_seconds": round(speech_seconds, 1),
        **of_clips(clips),
        "unknown_characters": dict(unknown.most_common()),
        "orphaned_edits": orphans,
    }


def of_clips(clips: Sequence[Listed]) -> dict[str, Any]:
    """The part of the totals that the clips alone make, which an edit changes."""
    kept = [clip for clip in clips if clip.state != "dropped"]
    dropped = [clip for clip in clips if clip.state == "dropped"]
    return {
        "kept_clips": len(kept),
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


def _of(clips: Sequence[Listed], split: str) -> list[Listed]:
    return [clip for clip in clips if clip.split == split]


def _seconds(clips: Sequence[Listed]) -> float:
    return round(sum(clip.seconds for clip in clips), 1)
