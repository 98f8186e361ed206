"""Which speech is held out to judge the training, decided once for each source and then kept.

A decision is a list of time ranges of the source, so it holds however the source is cut into clips
later. With four sources or more a source is held out whole or not at all; with fewer, each gives
one block, and the clips within a second of it are left out of both sets.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from engine.audio.speech import Span
from engine.dataset.clips import Split
from engine.files import write_json

FILE_NAME = "split.json"
FORMAT_VERSION = 1
FEWEST_SOURCES = 4
# Eval must not share a second with train.
GUARD_SECONDS = 1.0

# What is held out of a source: nothing, one block of it, or all.
HeldOut = tuple[Span, ...]
NOTHING: HeldOut = ()
ALL: HeldOut = (Span(0.0, math.inf),)


def load(folder: Path) -> dict[str, HeldOut]:
    """The decisions stored in a dataset folder, by the sources' SHA-256."""
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    rows = json.loads(path.read_text())["held_out"]
    return {
        sha256: tuple(Span(start, math.inf if end is None else end) for start, end in spans)
        for sha256, spans in rows.items()
    }


def save(folder: Path, decisions: Mapping[str, HeldOut]) -> None:
    """Store the decisions durably. An end of null is that of the source."""
    rows = {
        sha256: [[span.start, span.end if math.isfinite(span.end) else None] for span in spans]
        for sha256, spans in sorted(decisions.items())
    }
    write_json(folder / FILE_NAME, {"v": FORMAT_VERSION, "held_out": rows})


def decide(
    clips: Mapping[str, Sequence[Span]], before: Mapping[str, HeldOut], share: float
) -> dict[str, HeldOut]:
    """The decisions for all sources; those of `before` stay as they are, also of absent sources.

    `clips` are the usable clips of each source by its SHA-256, in time order. About `share` of
    their time is held out: at least one clip when there are two. Only when all that was held out
    is gone, something else is taken.
    """
    usable = {sha256: spans for sha256, spans in sorted(clips.items()) if spans}
    decisions = dict(before)
    if len(usable) >= FEWEST_SOURCES:
        _hold_out_sources(usable, decisions, share)
    else:
        for sha256 in usable.keys() - before.keys():
            decisions[sha256] = _block(sha256, usable[sha256], share)
    if not _held_seconds(usable, decisions):
        # New sources before known ones, whose clips would move.
        new = {sha256: spans for sha256, spans in usable.items() if sha256 not in before}
        decisions |= _something(usable, new or usable, share)
    return decisions


def sides(clips: Sequence[Span], held_out: HeldOut, *, alone: bool = False) -> list[Split]:
    """Where the clips of one source belong; "" is so near to held-out speech that it is not used.

    Where a source is `alone`, and nothing would be left to train on, those clips are used all the
    same.
    """
    middles = [(clip.start + clip.end) / 2 for clip in clips]
    found: list[Split] = ["train"] * len(clips)
    for block in held_out:
        inside = [i for i, middle in enumerate(middles) if block.start <= middle <= block.end]
        begin = min([block.start, *(clips[i].start for i in inside)]) - GUARD_SECONDS
        end = max([block.end, *(clips[i].end for i in inside)]) + GUARD_SECONDS
        for index, clip in enumerate(clips):
            if clip.end > begin and clip.start < end:
                found[index] = ""
        for index in inside:
            found[index] = "eval"
    return [where or "train" for where in found] if alone and "train" not in found else found


def _seconds(spans: Sequence[Span]) -> float:
    return sum(span.seconds for span in spans)


def _held_seconds(clips: Mapping[str, Sequence[Span]], decisions: Mapping[str, HeldOut]) -> float:
    return sum(
        clip.seconds
        for sha256, spans in clips.items()
        for clip, where in zip(spans, sides(spans, decisions.get(sha256, NOTHING)), strict=True)
        if where == "eval"
    )


def _hold_out_sources(
    clips: Mapping[str, Sequence[Span]], decisions: dict[str, HeldOut], share: float
) -> None:
    """Decide on the new sources: hold out one after the other, as long as that nears the share."""
    new = {sha256: _seconds(clips[sha256]) for sha256 in clips if sha256 not in decisions}
    wanted = share * sum(_seconds(spans) for spans in clips.values())
    wanted -= _held_seconds(clips, decisions)
    decisions |= dict.fromkeys(new, NOTHING)
    while new:
        # Of equally good ones the lower hash, which says nothing about the voice, is taken.
        best = min(new, key=lambda sha256: (abs(wanted - new[sha256]), sha256))
        if abs(wanted - new[best]) >= abs(wanted):
            return
        decisions[best] = ALL
        wanted -= new.pop(best)


def _block(sha256: str, clips: Sequence[Span], share: float, *, apart: bool = True) -> HeldOut:
    """The run of clips that costs least: near to the share, with wide pauses around it.

    Costs are seconds: off the share, and of clips lost to the guard. Of equal blocks the content
    chooses, so that it is not always the beginning. A source too short to keep both sets `apart`
    gives none.
    """
    until = [0.0, *accumulate(clip.seconds for clip in clips)]
    target = share * until[-1]
    candidates = []
    for first in range(len(clips)):
        reach = bisect_left(until, until[first] + target)
        for end in sorted({max(first + 1, min(end, len(clips))) for end in (reach - 1, reach)}):
            before, after = _guarded(clips, first, end)
            taken = after - before if apart else end - first
            if taken == len(clips):
                continue
            lost = until[first] - until[before] + until[after] - until[end]
            off = abs(until[end] - until[first] - target)
            turn = (first - int(sha256[:8], 16)) % len(clips)
            block = Span(clips[first].start, clips[end - 1].end)
            candidates.append((round(off + lost, 1), turn, block))
    return (min(candidates)[2],) if candidates else NOTHING


def _guarded(clips: Sequence[Span], first: int, end: int) -> tuple[int, int]:
    """The range of clips that a block and its guard cover."""
    before, after = first, end
    while before > 0 and clips[first].start - clips[before - 1].end < GUARD_SECONDS:
        before -= 1
    while after < len(clips) and clips[after].start - clips[end - 1].end < GUARD_SECONDS:
        after += 1
    return before, after


def _something(
    clips: Mapping[str, Sequence[Span]], choice: Mapping[str, Sequence[Span]], share: float
) -> dict[str, HeldOut]:
    """What to hold out of a choice of the sources when nothing is.

    Blocks of few sources, of many the best one whole; of a single short one a clip, although its
    neighbours are trained on.
    """
    blocks = {sha256: _block(sha256, spans, share) for sha256, spans in choice.items()}
    if len(clips) < FEWEST_SOURCES and any(blocks.values()):
        return blocks
    if len(clips) < 2:
        return {sha256: _block(sha256, clips[sha256], share, apart=False) for sha256 in clips}
    target = share * sum(_seconds(spans) for spans in clips.values())
    return {min(choice, key=lambda sha256: (abs(_seconds(clips[sha256]) - target), sha256)): ALL}
