"""What is wrong with parts of a given transcript, in the words of a warning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from engine.events import Warned
from engine.text import clean

_MOST_LINES = 5


class Kind(Enum):
    """A kind of flaw: its code, what is seen, what it means and what to do."""

    UNTIMED = (
        "untimed",
        "times that cannot be read",
        "The cues that they stand over are not used.",
        "Write them as 00:01:02,500 --> 00:01:04,000.",
    )
    NO_LENGTH = (
        "no_length",
        "cues that end before they begin, or as they begin",
        "They are not used.",
        "Correct their times.",
    )
    BEYOND = (
        "beyond",
        "cues that begin after the recording ends",
        "They are not used.",
        "Check that the transcript belongs to this recording, and that the recording is whole.",
    )
    OVERLAP = (
        "overlap",
        "cues that overlap others",
        "Their texts are taken together, and their clips are suspect.",
        "Listen to these clips; correct the times if the words are in the wrong order.",
    )
    STRAY = (
        "stray",
        "lines of text that belong to no cue",
        "They are not used.",
        "Write times above them, or remove them.",
    )
    SILENT = (
        "silent",
        "cues that lie where nobody speaks",
        "Their text is not used.",
        "Check their times.",
    )
    MISFIT = (
        "misfit",
        "texts that are much too long or too short for their speech",
        "Their clips are suspect.",
        "Listen to these clips, and correct their text or the times of their cues.",
    )
    CONTROLS = (
        "controls",
        "lines that hold control characters",
        "These characters are left out.",
        "Check that the words around them are whole.",
    )
    UNSPOKEN = (
        "unspoken",
        "stretches of the text that were not found in the recording",
        "They are left out.",
        "Remove from the text what is not spoken, or check that the recording is whole.",
    )
    UNSURE = (
        "unsure",
        "stretches of the text that the recogniser heard otherwise",
        "Their clips are suspect; each shows both texts.",
        "Listen to these clips, and choose or write the right text.",
    )
    COLUMNS = (
        "columns",
        "rows with more or fewer columns",
        "They are not used.",
        "Write file|text, file|text|normalised text, or audio_file|text|speaker_name in each row.",
    )
    NO_TEXT = (
        "no_text",
        "rows without a text that can be spoken",
        "Their recordings are transcribed instead.",
        "Write the text, or remove the rows.",
    )
    TWICE = (
        "twice",
        "rows that give another text to a recording that has one",
        "None of its texts is used; the recording is transcribed instead.",
        "Keep the right row of each recording.",
    )


class Flaw(NamedTuple):
    """One flaw, and the line of the file where it is; 0 when there is none."""

    kind: Kind
    line: int


def warnings(path: Path, flaws: Iterable[Flaw]) -> Iterator[Warned]:
    """One warning for each kind of flaw in a file."""
    found: dict[Kind, list[int]] = defaultdict(list)
    for flaw in flaws:
        found[flaw.kind].append(flaw.line)
    for kind, lines in found.items():
        code, seen, means, remedy = kind.value
        yield Warned(
            f"transcript_{code}",
            f"{clean(str(path))}: {seen}: {len(lines)}{_where(sorted(set(lines) - {0}))}.",
            means,
            remedy,
        )


def _where(lines: list[int]) -> str:
    if not lines:
        return ""
    shown = [str(line) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append("…")
    return f" (line{'s' if len(lines) > 1 else ''} {', '.join(shown)})"
