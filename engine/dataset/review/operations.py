"""What a person's operation changes in one clip: the fields it assigns, or why it cannot be done.

Each returns the fields to assign, none when the clip is so already, and raises InputError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.dataset.clips import MOST_SAMPLES, RATE, Reason, Split
from engine.dataset.derive import mark
from engine.dataset.edits import Change, Fields, Journal
from engine.dataset.review.rows import Row
from engine.dataset.review.texts import Verdict
from engine.errors import InputError

# What training refuses as long as the text is that which the recogniser wrote.
_OF_THE_TEXT = (Reason.TOO_MANY_TOKENS, Reason.UNKNOWN_CHARACTERS)


def change(row: Row, after: Fields) -> Change:
    """A change of one clip, with what it has now."""
    before: dict[str, Any] = {}
    for name in after:
        value = row.scores if name == "scores" else getattr(row, name)
        if name == "scores":
            before[name] = {key: value.get(key) for key in after[name]}
        else:
            before[name] = list(value) if isinstance(value, tuple) else value
    return Change(row.id, row.source.sha256, row.start, row.end, before, dict(after))


def text(row: Row, verdict: Verdict) -> dict[str, Any]:
    if not verdict.ok:
        raise InputError(verdict.message)
    if verdict.text == row.text:
        return {}
    after: dict[str, Any] = {"text": verdict.text, "edited": mark(row.edited, "text")}
    if verdict.tokens is not None or "tokens" in row.names:
        after["scores"] = {"tokens": None if verdict.tokens is None else float(verdict.tokens)}
    return after


def accept(row: Row, verdict: Verdict, side: Callable[[Row], Split]) -> dict[str, Any]:
    """`verdict` is that of its text; `side` gives the set of a clip that is in none."""
    if row.state == "kept":
        return {}
    if round(row.end * RATE) - round(row.start * RATE) > MOST_SAMPLES:
        raise InputError(
            f"The clip lasts {row.seconds:.1f} s; training takes {MOST_SAMPLES / RATE:.1f} s at "
            "most. Split it first."
        )
    if not verdict.ok:
        raise InputError(verdict.message)
    if row.reason in _OF_THE_TEXT and "text" not in row.edited and verdict.tokens is None:
        reason = Reason(row.reason)
        raise InputError(f"The clip has {reason.words}. Change its text first, or split it.")
    return {
        "state": "kept",
        "reason": "",
        "split": row.split or side(row),
        "edited": mark(row.edited, "state"),
    }


def drop(row: Row, reason: Reason) -> dict[str, Any]:
    if row.state == "dropped" and row.reason == reason:
        return {}
    return {
        "state": "dropped",
        "reason": reason.value,
        "split": "",
        "edited": mark(row.edited, "state"),
    }


def restore(row: Row, before: Fields | None) -> dict[str, Any]:
    """`before` are the fields that it had before a person dropped it, None when nobody did."""
    if row.state != "dropped":
        return {}
    if before is None:
        raise InputError(
            "The clip was dropped by the preparation. Accept it to use it all the same."
        )
    names = set(row.edited) - {"state"} | ({"state"} & set(before.get("edited", ())))
    return {
        "state": before["state"],
        "reason": before["reason"],
        "split": before["split"],
        "edited": sorted(names),
    }


def before_drop(journal: Journal, wanted: set[str]) -> dict[str, Fields]:
    """What clips were before a person dropped them last."""
    found: dict[str, Fields] = {}
    for entry in reversed(journal.done):
        if wanted <= found.keys():
            break
        for change in journal.form(entry).changes:
            was, now = change.before.get("state"), change.after.get("state")
            if change.id in wanted and now == "dropped" and was != now:
                found.setdefault(change.id, change.before)
    return found


def move(row: Row, split: Split) -> dict[str, Any]:
    if row.state == "dropped":
        raise InputError("The clip is dropped and in no set. Accept or restore it first.")
    if row.split == split:
        return {}
    return {"split": split, "edited": mark(row.edited, "split")}
