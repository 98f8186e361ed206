"""What happened, as rows."""

from __future__ import annotations

import time

import pytest
from helpers_console import piloted
from helpers_widgets import Host, evaluated, rows_of, step
from rich.cells import cell_len

from engine import events
from engine.eventlog import Record
from voicetui.widgets.event_list import EventRows
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import plain

BEGUN = 1790000000.0


def record(seq: int, event: events.Event) -> Record:
    return Record(seq, BEGUN + seq, event)


STORY: list[events.Event] = [
    events.Started("train", 1, "0.1"),
    step(1, 3.25),
    events.Warned("flat", "the loss is flat", "it learns nothing", "raise the rate"),
    evaluated(40, 3.5),
    events.Saved(40, 1, "step-000040", 5_600_000_000, 3.0, True),
    evaluated(80, 3.25),
    events.Failed("OSError", "the disk is full"),
    events.Stopped("SIGINT", 80),
    events.Finished({"steps": 80}),
    events.Unknown("brand_new", {"a": 1}),
]


def story() -> EventRows:
    return EventRows(record(seq, event) for seq, event in enumerate(STORY, 1))


def told(rows: EventRows, width: int = 200) -> list[str]:
    return [plain(rows.line(index, width)).rstrip() for index in range(len(rows))]


def test_each_event_is_told_in_one_line() -> None:
    rows = story()
    rows.set_group("all")
    lines = [line.split("  ", 1) for line in told(rows)]
    clocks = [time.strftime(" %H:%M:%S", time.localtime(BEGUN + n)) for n in range(1, 11)]
    assert [clock for clock, _ in lines] == clocks
    assert [text for _, text in lines] == [
        "started       train begins (voicetui 0.1)",
        "step          epoch 1/2  step 1/1000  loss 3.250 (text 0.030, mel 3.220)"
        "  lr 5.0e-06  2.0 clips/s  ETA 10 min  gradient 1  took 2.00 s, loader 0.01 s"
        "  10.0 s of audio/s  memory 18.2 GB",
        "warning       the loss is flat · means:  it learns nothing · remedy:  raise the rate",
        "evaluated     epoch 1  loss 3.500  text 0.020  mel 3.480",
        "saved         step-000040  5.6 GB in 3.0 s  best so far",
        "evaluated     epoch 1  loss 3.250 (-0.250)  text 0.020 (+0.000)  mel 3.230 (-0.250)",
        "failed        the disk is full",
        "stopped       by Ctrl-C at step 80, all of it saved; 'voicetui train' goes on from there",
        "finished      after 8 s: steps 80",
        "brand new",
    ]


def test_severity_is_seen() -> None:
    rows = story()
    rows.set_group("all")
    styles = {rows.record(index).kind: rows.line(index, 80)[1][1] for index in range(len(rows))}
    assert styles["warning"] == "warn"
    assert styles["failed"] == "bad"
    assert styles["saved"] == "good"
    assert styles["step"] == "dim"


def test_groups() -> None:
    rows = story()
    kinds = {}
    for _ in EventRows.GROUPS:
        name = rows.next_group()
        kinds[name] = [rows.record(index).kind for index in range(len(rows))]
    assert rows.group == "no steps"
    assert kinds["all"] == [record(1, event).kind for event in STORY]
    assert kinds["no steps"] == [kind for kind in kinds["all"] if kind != "step"]
    assert kinds["warnings"] == ["warning", "failed", "stopped"]
    assert kinds["saves"] == ["evaluated", "saved", "evaluated"]
    with pytest.raises(ValueError, match="none of"):
        rows.set_group("nonsense")


def test_the_filter_wants_every_word() -> None:
    rows = story()
    rows.set_filter("LOSS epoch")
    assert [rows.record(index).kind for index in range(len(rows))] == ["evaluated", "evaluated"]
    rows.set_filter("raise")
    assert len(rows) == 1
    assert rows.add([record(11, STORY[2]), record(12, STORY[4])]) == 1
    assert len(rows) == 2
    rows.set_filter("[no such")
    assert len(rows) == 0
    rows.set_filter("")
    assert len(rows) == 11


def test_only_the_newest_are_kept() -> None:
    rows = EventRows()
    rows.set_group("all")
    limit = EventRows.LIMIT
    for seq in range(1, 2 * limit + 100):
        rows.add([record(seq, events.Epoch(seq, 9999, 10))])
    assert len(rows) == limit
    assert rows.record(limit - 1).seq == 2 * limit + 99
    assert rows.record(0).seq == limit + 100
    assert "epoch         10099/9999" in plain(rows.line(limit - 1, 80))


def test_loading_begins_anew() -> None:
    rows = story()
    rows.load([record(1, STORY[0])])
    assert len(rows) == 1


def test_every_width_is_kept() -> None:
    rows = story()
    for width in (10, 25, 40, 80):
        for index in range(len(rows)):
            assert cell_len(plain(rows.line(index, width))) <= max(width, 25)


@piloted
async def test_hostile_text_is_shown_literally() -> None:
    text = "[red]$HOME\x1b]52;c;eA==\x07\u202eabc"
    rows = EventRows([record(1, events.Note("x", text)), record(2, events.Unknown(text, {}))])
    widget = RowList(rows)
    async with Host(widget).run_test(size=(80, 4)):
        first, second, *_ = rows_of(widget)
        assert "[red]$HOME␛]52;c;eA==␇\ufffdabc" in first
        assert "[red]$HOME␛" in second
    assert "[red]$HOME␛" in rows.full_text(0)
