"""What the terminal shows already is not sent again, and what it shows in the end is right."""

from __future__ import annotations

import random

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from voicetui.cells import shown
from voicetui.painted import Painted

RED, BLUE = Style(color="red"), Style(color="blue")


def strip(text: str, style: Style = RED) -> Strip:
    return Strip([Segment(text, style)])


def parts(painted: Painted, line: Strip, x: int = 0, y: int = 0) -> list[tuple[int, str]]:
    return [(start, part.text) for start, part in painted.changes(line, x, y)]


def test_the_first_time_all_is_sent_and_then_nothing() -> None:
    painted = Painted()
    assert parts(painted, strip("one two"), 3, 5) == [(3, "one two")]
    assert parts(painted, strip("one two"), 3, 5) == []
    assert parts(painted, strip("one two"), 3, 6) == [(3, "one two")]
    assert [part.text for _, part in painted.changes(strip("one 漢字"), 3, 5, (8, 9))] == ["漢"]
    painted.forget()
    assert parts(painted, strip("one two"), 3, 5) == [(3, "one two")]


def test_only_what_differs_is_sent() -> None:
    painted = Painted()
    parts(painted, strip("step 1 of 900            loss 3.1"))
    assert parts(painted, strip("step 2 of 900            loss 3.0")) == [(5, "2"), (32, "0")]
    # A short gap costs less than a move over it.
    assert parts(painted, strip("step 3 of 901            loss 3.0")) == [(5, "3 of 901")]
    assert parts(painted, strip("step 3 of 901            loss 3.0", BLUE)) != []


def test_wide_signs_are_sent_whole() -> None:
    painted = Painted()
    parts(painted, strip("漢字漢字"))
    assert parts(painted, strip("漢ab漢字")) == [(2, "ab")]
    # An old one of which half is covered: the other half is sent too.
    assert parts(painted, strip("xyab漢字")) == [(0, "xy")]
    assert parts(painted, strip("x漢b漢字")) == [(1, "漢")]


def terminal(cells: dict[int, str], x: int, text: str) -> None:
    """Write text as a terminal does: half a wide sign is blank."""
    for sign in text:
        width = get_character_cell_size(sign)
        if not width:
            cells[x - 1 if cells.get(x - 1) else x - 2] += sign
            continue
        if cells.get(x) == "" and x:
            cells[x - 1] = " "
        if cells.get(x + width) == "":
            cells[x + width] = " "
        cells[x] = sign
        if width == 2:
            cells[x + 1] = ""
        x += width


def test_the_terminal_shows_what_was_painted_last() -> None:
    dice = random.Random(3)
    painted, cells = Painted(), dict.fromkeys(range(40), " ")
    whole: dict[int, str] = {}
    for _ in range(400):
        signs = [dice.choice(["a", "b", " ", "漢", "e\u0301", "字"]) for _ in range(40)]
        line = Strip([Segment(shown("".join(signs)), RED)]).adjust_cell_length(40, RED)
        for start, text in parts(painted, line):
            terminal(cells, start, text)
        whole = dict.fromkeys(range(40), " ")
        terminal(whole, 0, line.text)
        assert cells == whole
    assert len(set(whole.values())) > 4
