"""What a closed console says on the terminal: what became of the work that it showed."""

from __future__ import annotations

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
            yield from _ending(job.folder)
    if followed is not None and all(job.folder != followed for job in own):
        state = Follower(followed).glance()
        if state.state in ("running", "paused"):
            project = shlex.quote(str(followed.parent.parent))
            yield (
                f"{clean(followed.name)} goes on in another process; "
                f"'voicetui attach {clean(project)}' shows it again."
            )


def _ending(folder: Path) -> Iterator[str]:
    records = Follower(folder).tail(1)
    if records:
        told = " ".join(sentences(records[-1]))
        yield f"{clean(folder.name)}: {told}" if told else ""
