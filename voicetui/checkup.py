"""What checks found, as text: for the doctor's command and screen, for others, and to be copied."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from engine.text import clean

if TYPE_CHECKING:
    from engine.checks.finding import Level

_WIDTH = 80
_NAME = 21
_LEVEL = 8


class Check(Protocol):
    """A line of a checkup: what was seen, and what to do ("" where nothing is)."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def seen(self) -> str: ...
    @property
    def remedy(self) -> str: ...


def lines_of(check: Check, last_group: str) -> list[str]:
    """A check as lines of 80 columns, below the name of its group when that is a new one."""
    lines = []
    if check.group != last_group:
        lines = ["", check.group] if last_group else [check.group]
    head = f"{check.level:<{_LEVEL}} {clean(check.name):<{_NAME}}  "
    lines += wrapped(check.seen, head)
    if check.remedy:
        lines += wrapped(check.remedy, " " * _LEVEL + " > ")
    return lines


def wrapped(text: str, head: str) -> list[str]:
    """A text behind its head as lines of 80 columns."""
    return textwrap.wrap(
        clean(text),
        _WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    )


def summary(counts: Mapping[Level, int]) -> str:
    """How many checks are ok, in a sentence."""
    ok, warnings, failures = counts["ok"], counts["warning"], counts["failure"]
    if not warnings and not failures:
        return f"All {ok} checks are ok."
    return (
        f"{ok} ok, {warnings} warning{'s' * (warnings != 1)}, "
        f"{failures} failure{'s' * (failures != 1)}."
    )


def report(checks: Iterable[Check]) -> str:
    """All that was found, as `voicetui doctor` prints it."""
    lines: list[str] = []
    counts: Counter[Level] = Counter()
    group = ""
    for check in checks:
        lines += lines_of(check, group)
        group = check.group
        counts[check.level] += 1
    return "\n".join([*lines, "", summary(counts)])
