"""The clip under the cursor: its waveform, and everything else about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import VoicetuiError
from voicetui.screens.review import detail as details
from voicetui.screens.review.detail import Shown
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import wrapped
from voicetui.widgets.waveform import Wave, Waveform

if TYPE_CHECKING:
    from engine.dataset.review.review import Review

_WAVE_COLUMNS = 400
_WORDLESS_STEP = 0.1
# No closer to an end can a clip be cut.
_LEAST_SECONDS = 0.1
_NO_AUDIO = "It was dropped before it was cut; a accepts it and cuts it now."


class ClipPane(Container):
    """Shows one clip, and the place where it would be cut: `cut`, in seconds of its recording."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.shown: Shown | None = None
        self.cut: float | None = None
        self.most_tokens = 0
        # Whether every number is explained, also where that is cut off below.
        self.explains = False
        self._problem = ""

    def compose(self) -> ComposeResult:
        yield Lines([[]], id="clip-head")
        yield Waveform(id="wave")
        yield Lines([], id="clip-body")

    def show(self, shown: Shown | None, problem: str = "") -> None:
        """Show a clip; None: why there is none."""
        self.shown, self._problem = shown, problem
        self.draw()

    def draw(self) -> None:
        """Draw it again, as wide and high as there is room."""
        head, body = self.query_one("#clip-head", Lines), self.query_one("#clip-body", Lines)
        wave, shown = self.query_one(Waveform), self.shown
        width = max(30, self.content_size.width)
        if shown is None:
            head.show([[]])
            wave.show_wave(None)
            body.show([[(f" {line}", "warn")] for line in wrapped(self._problem, width - 2)])
            return
        head.show([details.head_line(shown, width)])
        self._draw_wave(wave, shown)
        lines = details.body_lines(shown, width, self.most_tokens, self.cut, long=True)
        if len(lines) > body.size.height and not self.explains:
            lines = details.body_lines(shown, width, self.most_tokens, self.cut, long=False)
        body.show(lines)

    def _draw_wave(self, wave: Waveform, shown: Shown) -> None:
        row = shown.detail.row
        if shown.wave is None:
            wave.show_wave(None, shown.problem or _NO_AUDIO)
            return
        peaks = [max(-low, high) for low, high in zip(shown.wave.low, shown.wave.high, strict=True)]
        borders = [word.start - row.start for word in shown.detail.words]
        cut = None if self.cut is None else self.cut - row.start
        wave.show_wave(Wave(peaks, row.seconds, borders, cut))

    def move_cut(self, steps: int, *, seconds: float = 0.0) -> None:
        """Move the place to cut by so many words, or by seconds; the first time to the middle."""
        if self.shown is None:
            return
        row = self.shown.detail.row
        borders = details.cut_borders(self.shown.detail.words)
        if self.cut is None:
            middle = (row.start + row.end) / 2
            self.cut = min(borders, key=lambda at: abs(at - middle)) if borders else middle
        elif seconds or not borders:
            moved = self.cut + (seconds or steps * _WORDLESS_STEP)
            self.cut = min(row.end - _LEAST_SECONDS, max(row.start + _LEAST_SECONDS, moved))
        elif steps > 0:
            self.cut = next((at for at in borders if at > self.cut + 1e-6), self.cut)
        else:
            self.cut = next((at for at in reversed(borders) if at < self.cut - 1e-6), self.cut)
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def forget_cut(self) -> None:
        """Cut nowhere."""
        if self.cut is not None:
            self.cut = None
            self.draw()


def read(review: Review, identifier: str) -> Shown:
    """A clip with its waveform. Raises VoicetuiError when there is no such clip any more."""
    detail = review.detail(identifier)
    try:
        return Shown(detail, review.waveform(identifier, _WAVE_COLUMNS))
    except VoicetuiError as error:
        return Shown(detail, None, str(error))
