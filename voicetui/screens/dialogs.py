"""The few dialogs that all screens use: a message, a choice by letter, a line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from voicetui.screens.base import Dialog
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, wrapped

_WIDTH = 66


def _paragraphs(text: str, style: str = "") -> list[Line]:
    return [
        [(line, style)]
        for paragraph in text.split("\n")
        for line in (wrapped(paragraph, _WIDTH) if paragraph else [""])
    ]


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
        lines: list[Line] = [[(self._title, "title")], [], *_paragraphs(self._text), []]
        for choice in self._choices:
            first, *more = wrapped(choice.text, _WIDTH - 5)
            lines.append([(f" {choice.key} ", "inverse"), (f"  {first}", "")])
            lines += [[(f"     {line}", "")] for line in more]
        if not any(choice.key == "q" for choice in self._choices):
            lines.append([(" q ", "inverse"), ("  cancel", "dim")])
        with Vertical(classes="dialog"):
            yield Lines(lines)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.answer(event)

    def answer(self, event: events.Key) -> None:
        """Close when the key is an answer. Textual calls `on_key` of base classes too, this once."""
        if any(choice.key == event.character for choice in self._choices):
            self.dismiss(event.character)
        elif event.character == "q" or event.key in ("escape", "ctrl+g", "ctrl+c"):
            self.dismiss(None)


class Message(Choose):
    """Tells something; any of Enter, Space or q closes it."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title, text, [Choice("q", "close")])

    def answer(self, event: events.Key) -> None:
        if event.key in ("enter", "space", "q", "escape", "ctrl+g", "ctrl+c"):
            self.dismiss(None)


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
        lines: list[Line] = [[(self._title, "title")]]
        if self._text:
            lines += [[], *_paragraphs(self._text)]
        with Vertical(classes="dialog"):
            yield Lines(lines)
            yield Input(value=self._value)
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
        self.query_one("#verdict", Lines).show(_paragraphs(verdict, "warn") if verdict else [[]])
        return verdict

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._judge(event.value):
            self.dismiss(event.value)
