"""The few dialogs that all screens use: a message, a choice by letter, a line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from voicetui.screens.base import Dialog
from voicetui.widgets.entry import Entry
from voicetui.widgets.flowing import Flowing, paragraphs, together
from voicetui.widgets.lines import Lines

# The line of a prompt, its verdict and its keys.
_ROWS_OF_PROMPT, _MOST_OF_VERDICT = 6, 4
_EMPTY = paragraphs("")
_SCROLLING = {
    "down": 1,
    "j": 1,
    "up": -1,
    "k": -1,
    "pagedown": 8,
    "ctrl+d": 8,
    "pageup": -8,
    "ctrl+u": -8,
}


@dataclass(frozen=True)
class Choice:
    """An answer: the letter that gives it, and what it does."""

    key: str
    text: str


class Choose(Dialog[str]):
    """Asks a question; the letter of an answer closes it and is the result, q cancels (None)."""

    def __init__(self, title: str, text: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._choices = choices

    def compose(self) -> ComposeResult:
        answers = [(choice.key, choice.text, "") for choice in self._choices]
        if not any(choice.key == "q" for choice in self._choices):
            answers.append(("q", "cancel", "dim"))
        choices = Flowing(
            together(
                _EMPTY,
                *(
                    paragraphs(text, style, [(f" {key} ", "inverse"), ("  ", "")])
                    for key, text, style in answers
                ),
            )
        )
        told = together(paragraphs(self._title, "title"), _EMPTY, paragraphs(self._text))
        with Vertical(classes="dialog"):
            yield Flowing(told, rows=lambda: self.rows_inside - len(choices.lines(self.text_width)))
            yield choices

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.answer(event)

    def answer(self, event: events.Key) -> None:
        """Close when the key is an answer. Textual calls `on_key` of base classes too, this once."""
        if any(choice.key == event.character for choice in self._choices):
            self.dismiss(event.character)
        elif event.character == "q" or event.key in ("escape", "ctrl+g"):
            self.dismiss(None)
        else:
            self.scroll(event)

    def scroll(self, event: events.Key) -> None:
        """Move a long text."""
        for text in list(self.query(Flowing))[:1]:
            text.scroll_rows(_SCROLLING.get(event.key, 0))


class Message(Choose):
    """Tells something; any of Enter, Space or q closes it."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title, text, [Choice("q", "close")])

    def answer(self, event: events.Key) -> None:
        if event.key in ("enter", "space", "q", "escape", "ctrl+g"):
            self.dismiss(None)
        else:
            self.scroll(event)


class Prompt(Dialog[str]):
    """Asks for a line of text. Enter gives it, Esc or ctrl+g cancels (None).

    `check` gives what is wrong with the text, or ""; it is called at every key.
    """

    def __init__(
        self,
        title: str,
        text: str = "",
        *,
        value: str = "",
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._value = value
        self._check = check

    def compose(self) -> ComposeResult:
        texts = [paragraphs(self._title, "title")]
        if self._text:
            texts += [_EMPTY, paragraphs(self._text)]
        with Vertical(classes="dialog"):
            yield Flowing(together(*texts), rows=lambda: self.rows_inside - _ROWS_OF_PROMPT)
            yield Entry(value=self._value)
            yield Lines([[]], id="verdict")
            yield Lines(
                [
                    [
                        (" Enter ", "inverse"),
                        (" accept   ", ""),
                        (" Ctrl-G ", "inverse"),
                        (" cancel", ""),
                    ]
                ]
            )

    def on_input_changed(self, event: Input.Changed) -> None:
        self._judge(event.value)

    def _judge(self, value: str) -> str:
        verdict = self._check(value)
        told = paragraphs(verdict, "warn")(self.text_width)
        self.query_one("#verdict", Lines).show(told[:_MOST_OF_VERDICT])
        return verdict

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._judge(event.value):
            self.dismiss(event.value)
