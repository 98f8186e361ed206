"""What all screens share: their frame, their keys, and how they speak to a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from engine.text import clean
from voicetui import keys
from voicetui.keys import Key
from voicetui.listening import Copied
from voicetui.trouble import Sturdy
from voicetui.widgets.bars import KeyBar, StatusLine, TitleBar
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import STYLE_CLASSES, wrapped

if TYPE_CHECKING:
    from voicetui.app import Console

Result = TypeVar("Result")
LEAST_WIDTH, LEAST_HEIGHT = 60, 18
# The widest text of a dialog, and its border with the room beside it.
_TEXT_WIDTH, _EDGES = 66, 6


class ConsoleScreen(Sturdy, Screen[None]):
    """A screen with a title, a body, a status line and a footer of keys.

    `scope` names its rows in the table of keys. It overrides `body`, and `is_possible` for keys
    that do nothing at the moment: they leave the footer, and `why_not` says why when pressed.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {*STYLE_CLASSES}
    scope: ClassVar[str] = ""
    heading: ClassVar[str] = ""
    _said: tuple[str, str] = ("", "")

    def __init_subclass__(cls, **options: object) -> None:
        # Before Textual collects the bindings of the class.
        if cls.scope and "BINDINGS" not in cls.__dict__:
            cls.BINDINGS = keys.bindings(cls.scope)
        super().__init_subclass__(**options)  # type: ignore[arg-type]

    @property
    def console(self) -> Console:
        """The app."""
        return self.app  # type: ignore[return-value]

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        with Container(id="body"):
            yield from self.body()
        yield Lines(id="too-small")
        yield StatusLine(id="status")
        yield KeyBar(id="keys")

    def body(self) -> Iterable[Widget]:
        """The widgets between title and footer."""
        return ()

    # --- keys -------------------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:  # noqa: ARG002 - for screens to override
        """Whether a key of this screen does something now."""
        return True

    def why_not(self, action: str) -> str:  # noqa: ARG002 - for screens to override
        """What to say when a key is pressed that does nothing now."""
        return "That is not possible now."

    def label_of(self, key: Key) -> str:
        """What the footer calls a key of this screen; what it does now may have another name."""
        return key.label

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if any(key.action == action for key in keys.of(self.scope)) and not self.is_possible(
            action
        ):
            return None
        return True

    def keys_shown(self) -> list[Key]:
        """The keys of the footer, most specific first, in a person's own keys."""
        rows = keys.remapped(self.console.keymap)
        own = [
            replace(key, label=self.label_of(key))
            for key in rows
            if key.scope == self.scope and self.is_possible(key.action)
        ]
        shared = [key for key in rows if key.scope == keys.EVERYWHERE]
        if self.console.is_at_bottom:
            shared = [replace(k, label="quit") if k.action == "leave" else k for k in shared]
        return own + shared

    def refresh_keys(self) -> None:
        """Draw the footer anew after what is possible changed."""
        # A flow may end when its screen is gone.
        for bar in self.query(KeyBar):
            bar.show_keys(self.keys_shown())

    # --- what it says -----------------------------------------------------------------------------

    @property
    def in_sight(self) -> bool:
        """Whether it is on the screen, perhaps behind a dialog."""
        screens = [each for each in self.console.screen_stack if isinstance(each, ConsoleScreen)]
        return bool(screens) and screens[-1] is self

    def say(self, text: str, style: str = "") -> None:
        """Say something in the status line; it stays until the next thing is said."""
        self._said = (text, style)
        # A screen that was opened just now has no lines yet; `_frame` says it then.
        for line in self.query(StatusLine):
            line.say(text, style)

    def say_copied(self, copied: Copied) -> None:
        """Show what was copied: in the status line, or in a dialog where it would be cut there."""
        line = f"{clean(copied.text)}   {copied.told}"
        if cell_len(line) < self.size.width:
            self.say(line)
        else:
            self.console.tell("Copied", f"{copied.text}\n\n{copied.told}")

    def title_text(self) -> str:
        """What the title line calls this screen."""
        return self.heading

    def refresh_title(self) -> None:
        # A console that is closing takes its screens apart before it stops its clocks.
        for bar in self.query(TitleBar):
            bar.set_title(self.title_text(), self.console.live_text())

    # --- size -------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.call_after_refresh(self._frame)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._frame)

    @property
    def is_shown(self) -> bool:
        """Whether the terminal is large enough for it; else only its size is told."""
        return not self.has_class("-too-small")

    def on_resize(self, event: events.Resize) -> None:
        small = event.size.width < LEAST_WIDTH or event.size.height < LEAST_HEIGHT
        self.set_class(small, "-too-small")
        if small:
            text = f"The console needs {LEAST_WIDTH}x{LEAST_HEIGHT}; this is {event.size.width}x"
            leave = keys.name(keys.keys_of("everywhere.leave", self.console.keymap)[0])
            only = f"Make it larger; until then only {leave} and Ctrl-C work."
            lines = [f"{text}{event.size.height}.", *wrapped(only, event.size.width)]
            self.query_one("#too-small", Lines).show([[(line, "warn")] for line in lines])
        self.call_after_refresh(self._frame)

    def _frame(self) -> None:
        if self.is_attached and self.query(StatusLine):
            self.refresh_title()
            self.refresh_keys()
            self.query_one(StatusLine).say(*self._said)


class Dialog(Sturdy, ModalScreen[Result]):
    """A modal. It closes by letters, or by ctrl+g where letters are typed; Esc works too."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*STYLE_CLASSES}
    BINDINGS: ClassVar[list[tuple[str, str, str]]] = [("escape,ctrl+g", "cancel", "cancel")]  # type: ignore[assignment]

    @property
    def console(self) -> Console:
        """The app."""
        return self.app  # type: ignore[return-value]

    @property
    def text_width(self) -> int:
        """How wide a text in this dialog can be on this screen."""
        return max(20, min(_TEXT_WIDTH, self.app.size.width * 95 // 100 - _EDGES))

    @property
    def rows_inside(self) -> int:
        """How many rows a dialog can have on this screen."""
        return self.app.size.height * 9 // 10 - 4

    def action_cancel(self) -> None:
        self.dismiss(None)
