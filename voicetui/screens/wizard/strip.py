"""What stands around the wizard's steps: the line of them all, and the advice."""

from __future__ import annotations

from collections.abc import Collection

from voicetui.screens.wizard import plan
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, wrapped


def strip(
    here: int, reached: int, problems: Collection[str], open_steps: Collection[str] = ()
) -> Line:
    """The steps before `reached` are judged: those in `problems` have one, `open_steps` lack an answer."""
    line: Line = []
    for number, name in enumerate(plan.STEPS):
        is_judged = number < min(reached, len(plan.STEPS) - 1)
        sign, style = str(number + 1), "dim"
        if is_judged:
            sign, style = ("○", "warn") if name in open_steps else ("✓", "good")
            if name in problems:
                sign, style = "✗", "bad"
        line += [(f" {sign} {name} ", "inverse" if number == here else style), (" ", "")]
    return line


class Advice(Lines):
    """What a person should know at a step."""

    def advise(self, text: str) -> None:
        """Show paragraphs, which are parted by newlines."""
        width = max(20, self.size.width - 2)
        parts = text.split("\n")
        self.show([[(f" {line}", "dim")] for part in parts for line in wrapped(part, width)])
