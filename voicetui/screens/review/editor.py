"""Editing the text of a clip, judged while it is typed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from engine.errors import VoicetuiError
from voicetui import crashes
from voicetui.screens.base import Dialog
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, wrapped

if TYPE_CHECKING:
    from engine.dataset.judge import Tokenizer
    from engine.dataset.review.review import Review
    from engine.project import Project

# Tokens a character, where nothing better is known: of English with the vocabulary of XTTS v2.
_USUAL_RATIO = 0.45
# Below so many rows a screen has no room for the second transcript.
_ROOMY = 22


class TextJudge:
    """Judges texts with the base's tokenizer, which takes seconds to load."""

    def __init__(self, review: Review) -> None:
        self._review = review
        self._loading: asyncio.Task[None] | None = None
        self.most_tokens = review.project.settings.dataset.max_text_tokens
        # Why there will be no tokenizer; "" while there may be one.
        self.problem = ""

    def judges(self, review: Review) -> bool:
        """Whether it judges for this review."""
        return self._review is review

    async def load(self) -> None:
        """Load the tokenizer in a helper thread, once."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        # A dialog that closes must not end it for the next one.
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        try:
            self._review.tokenizer = await asyncio.to_thread(_vocabulary, self._review.project)
        except (VoicetuiError, OSError, ImportError) as error:
            self.problem = crashes.in_words(error)

    def lines(self, text: str, ratio: float, width: int) -> list[Line]:
        """What is to say of a text. `ratio` is about how many tokens a character makes."""
        plain = " ".join(text.split())
        try:
            verdict = self._review.check(text)
        except VoicetuiError as error:
            return _told(str(error), "bad", width)
        count = f"{len(plain)} characters"
        if verdict.tokens is not None:
            line = f"{count} · {verdict.tokens} of {self.most_tokens} tokens"
            sign, style = ("✓", "good") if verdict.ok else ("✗", "bad")
            lines: list[Line] = [[(f"{sign} ", style), (line, "")]]
        else:
            guess = round(len(plain) * (ratio or _USUAL_RATIO))
            head = "✗ " if verdict.message else "~ "
            lines = [
                [
                    (head, "bad" if verdict.message else "warn"),
                    (f"{count} · about {guess} of {self.most_tokens} tokens", ""),
                ],
                *_told(self._why_about(), "dim", width)[:2],
            ]
        return [*lines, *_told(verdict.message, "bad", width)] if verdict.message else lines

    def refuses(self, text: str) -> bool:
        """Whether a text cannot be saved; `lines` tells why."""
        try:
            return not self._review.check(text).ok
        except VoicetuiError:
            return True

    def _why_about(self) -> str:
        if self.problem:
            return f"An estimate, since nobody counts tokens here. {self.problem}"
        return "An estimate: the base's tokenizer is being loaded, then tokens are counted."


def _vocabulary(project: Project) -> Tokenizer:
    from engine.xtts import base as bases
    from engine.xtts.vocab import Vocabulary

    folder = bases.locate(project.base_reference)
    if not (folder / "vocab.json").is_file():
        bases.check(folder)
    return Vocabulary(folder, project.language, pending=project.new_language)


def _told(text: str, style: str, width: int) -> list[Line]:
    return [[(line, style)] for line in wrapped(text, width)]


class _OneText(TextArea):
    """A text over several lines that Enter accepts."""

    class Accepted(Message):
        """Enter was pressed."""

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            self.post_message(self.Accepted())


class TextEditor(Dialog[str]):
    """Gives the text that a person wrote; None when they left it as it was.

    `other` is the second transcript, for comparison; `typed` is what stands there at first, when it
    is not the text of the clip.
    """

    def __init__(
        self,
        judge: TextJudge,
        title: str,
        text: str,
        other: str,
        tokens: float,
        typed: str | None = None,
    ) -> None:
        super().__init__()
        self._typed = text if typed is None else typed
        self._judge = judge
        self._title = title
        self._text = text
        self._other = other
        self._ratio = tokens / len(text) if text and tokens else 0.0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog editor"):
            yield Lines([[(self._title, "title")], []])
            yield _OneText(
                self._typed,
                soft_wrap=True,
                show_line_numbers=False,
                highlight_cursor_line=False,
                tab_behavior="focus",
            )
            yield Lines(id="verdict")
            yield Lines([[], *self._second(), self._keys()])

    def _second(self) -> list[Line]:
        if not self._other or self.app.size.height < _ROOMY:
            return []
        told = wrapped(f"heard the second time: {self._other}", self.text_width)
        return [*([(line, "dim")] for line in told[:2]), []]

    def _keys(self) -> Line:
        return [
            (" Enter ", "inverse"),
            (" save   ", ""),
            (" Ctrl-G ", "inverse"),
            (" leave as it was", ""),
        ]

    def on_mount(self) -> None:
        area = self.query_one(_OneText)
        area.cursor_blink = False
        area.move_cursor(area.document.end)
        area.focus()
        self._tell()
        self.run_worker(self._load())

    async def _load(self) -> None:
        await self._judge.load()
        if self.is_attached:
            self._tell()

    def on_text_area_changed(self) -> None:
        self._tell()

    def _tell(self) -> None:
        text = self.query_one(_OneText).text
        self.query_one("#verdict", Lines).show(
            self._judge.lines(text, self._ratio, self.text_width)
        )

    def on__one_text_accepted(self) -> None:
        text = " ".join(self.query_one(_OneText).text.split())
        if text == self._text:
            self.dismiss(None)
        elif not self._judge.refuses(text):
            self.dismiss(text)
        else:
            self._tell()
