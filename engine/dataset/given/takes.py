"""Recordings whose words were given: their pieces and texts without, or with less of, a recogniser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from engine.audio.decode import Samples
from engine.dataset.clips import Word
from engine.dataset.given import flaws
from engine.dataset.given import words as given_words
from engine.dataset.given.beside import SUFFIXES, Given, Library, unusable
from engine.dataset.given.words import Hear, Placed
from engine.dataset.hearing.second import Take
from engine.dataset.hearing.transcripts import Transcript
from engine.dataset.segment import Piece
from engine.errors import TranscriptError
from engine.events import Event, Note
from engine.project import Project
from engine.text import clean


class GivenTexts:
    """The given transcripts of one project; none while its setting `transcripts` is "ignore"."""

    def __init__(self, project: Project, emit: Callable[[Event], None]) -> None:
        self._library: Library | None = None
        self._emit = emit
        if project.settings.dataset.transcripts == "auto":
            sources = (Path(os.path.abspath(path)) for path in project.source_paths)
            named = [path for path in sources if path.suffix.lower() in SUFFIXES and path.is_file()]
            self._library = Library(project.language, named, emit)

    def digest(self, recording: Path) -> str:
        """A hash of what was given for a recording; empty when nothing was."""
        given = self._of(recording)
        return given.digest if given else ""

    def takes(
        self,
        recording: Path,
        transcript: Transcript,
        levels: Samples,
        *,
        longest: float,
        item: str,
        hear: Hear,
        cut: Callable[[Sequence[Word]], list[Piece]],
    ) -> list[Take] | None:
        """The pieces of a recording with their given texts; None when there is none of use.

        Of the transcript only the speech is needed; `hear` lets the recogniser complete it. What
        was used, left out or found wrong is told by events, in which the recording is `item`.
        """
        given = self._of(recording)
        if given is None:
            return None
        try:
            placed = given_words.place(
                given, transcript.spans, levels, transcript.seconds, longest=longest, hear=hear
            )
        except TranscriptError as error:
            self._emit(unusable(error, f"{item} is"))
            return None
        self._emit(_used(item, given, placed))
        self._tell(flaws.warnings(given.path, placed.flaws))
        return given_words.takes(placed, cut(placed.words), transcript.spans)

    def tell_unused(self) -> None:
        """Tell of given texts that belong to no recording, when all were asked for."""
        if self._library is not None:
            self._library.tell_unused()

    def _of(self, recording: Path) -> Given | None:
        return self._library.of(recording) if self._library is not None else None

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._emit(event)


def _used(item: str, given: Given, placed: Placed) -> Note:
    line = f", line {given.row.line}" if given.row else ""
    how = ", with the recogniser's times" if placed.heard else ""
    text = f"{item}: its text is taken from {clean(str(given.path))}{line}{how}."
    if placed.sounds:
        text += f" Descriptions of sounds left out: {placed.sounds}."
    if given.others:
        listed = ", ".join(clean(path.name) for path in given.others)
        text += f" Not used, since one is enough: {listed}."
    return Note("transcript_given", text)
