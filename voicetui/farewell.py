"""What a closed console says on the terminal: what became of the work that it showed."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.status import Follower
from engine.text import clean
from voicetui.plain import sentences
from voicetui.watching import LiveJob

# The newest are what a person asks for; a long evening may have had dozens.
_MOST = 3


def lines(own: Sequence[LiveJob], followed: Path | None) -> Iterator[str]:
    """A line for each of the newest jobs that ended here, and for a job of another process.

    `followed` is the folder of the job that the console showed last.
    """
    for job in own[-_MOST:]:
        if job.outcome is not None:
            # Of a log that cannot be read any more there is nothing to say.
            with contextlib.suppress(OSError):
                yield from _ending(job.folder)
    if followed is not None and all(job.folder != followed for job in own):
        with contextlib.suppress(OSError):
            yield from _going_on(followed)


def _going_on(folder: Path) -> Iterator[str]:
    if Follower(folder).glance().state in ("running", "paused"):
        project = shlex.quote(str(folder.parent.parent))
        yield (
            f"{clean(folder.name)} goes on in another process; "
            f"'voicetui attach {clean(project)}' shows it again."
        )


def _ending(folder: Path) -> Iterator[str]:
    records = Follower(folder).tail(1)
    if records:
        told = " ".join(sentences(records[-1]))
        yield f"{clean(folder.name)}: {told}" if told else ""
