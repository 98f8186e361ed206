"""What all steps of the wizard share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from engine.project import Project
from voicetui.drafts import Draft
from voicetui.trouble import Sturdy

if TYPE_CHECKING:
    from voicetui.screens.setup import SetupScreen


class Step(Sturdy, Vertical):
    """One step: its widgets show the draft, and what a person does there changes it.

    `actions` are the keys of the wizard that do something here, `enter` what Enter does in a word.
    """

    actions: ClassVar[frozenset[str]] = frozenset()
    enter: ClassVar[str] = "next"

    def __init__(self) -> None:
        super().__init__(classes="step")

    @property
    def wizard(self) -> SetupScreen:
        """The screen around it."""
        return self.screen  # type: ignore[return-value]

    @property
    def draft(self) -> Draft:
        return self.wizard.draft

    @property
    def before(self) -> Project | None:
        """The project that is changed; None for a new one."""
        return self.wizard.before

    def fields(self) -> list[Widget]:
        """What takes the focus, in the order of Tab."""
        return []

    def advice(self) -> str:
        """What a person should know here; paragraphs are parted by newlines."""
        return ""

    def draft_changed(self) -> None:
        """The draft is another one: show it."""

    def leave(self, field: Widget) -> None:
        """A field is left; what was typed there is in the draft."""

    def show_problem(self) -> Widget | None:
        """Bring what is wrong here into sight; gives the field to mend it in, None: the first."""
        return None

    def poll(self) -> None:
        """Called a few times a second: show what helper threads found."""
