from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any

import pytest

from engine.eventlog import Record, decode, encode
from engine.events import (
    EVENT_TYPES,
    Event,
    Finished,
    Step,
    Stopped,
    Unknown,
    Warned,
    build,
    fields_of,
)

FOREIGN = 'a "quoted" \\ ü \x1b[0m\n\u2028 \udcff 日本'


def sample(hint: Any, number: float) -> Any:
    """A value of a field's type; a type that is new to the events must be added here."""
    if isinstance(hint, types.UnionType):
        return sample(typing.get_args(hint)[0], number)
    plain: dict[Any, Any] = {
        float: number,
        int: 7,
        str: FOREIGN,
        bool: True,
        list[str]: [FOREIGN, ""],
        dict[str, Any]: {"a": 1, FOREIGN: [1.5, None, {"b": FOREIGN}]},
    }
    return plain[hint]


def make(cls: type[Event], number: float) -> Event:
    hints = typing.get_type_hints(cls)
    return cls(**{f.name: sample(hints[f.name], number) for f in dataclasses.fields(cls)})


@pytest.mark.parametrize("number", [0.1, 1e-300, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_event_comes_back_from_its_line(kind: str, number: float) -> None:
    record = Record(3, 1790000000.123, make(EVENT_TYPES[kind], number))
    line = encode(record)
    assert line.count(b"\n") == 1
    line.decode()
    back = decode(line)
    assert back is not None
    # repr, because nan is not equal to itself.
    assert repr(back) == repr(record)
    assert back.kind == kind


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_no_field_takes_a_name_of_the_line_itself(kind: str) -> None:
    names = {f.name for f in dataclasses.fields(EVENT_TYPES[kind])}
    assert not names & {"v", "seq", "t", "kind", "crc"}


def test_none_comes_back_as_none() -> None:
    record = Record(1, 5.0, Stopped("SIGINT", None))
    assert decode(encode(record)) == record


def test_numbers_that_json_does_not_know_are_named_inside_summaries() -> None:
    line = encode(Record(1, 5.0, Finished({"best": math.nan, "all": (math.inf, -math.inf)})))
    assert b'"best":"nan","all":["inf","-inf"]' in line


def test_an_unknown_kind_keeps_its_fields() -> None:
    event = build("tomorrow", {"x": 1})
    assert event == Unknown("tomorrow", {"x": 1})
    record = Record(1, 5.0, event)
    assert record.kind == "tomorrow"
    assert decode(encode(record)) == record


def test_fields_of_a_newer_version_are_left_out() -> None:
    fields = {"code": "c", "seen": "s", "means": "m", "remedy": "r", "colour": "red"}
    assert build("warning", fields) == Warned("c", "s", "m", "r")


@pytest.mark.parametrize("fields", [{"code": "c"}, {}])
def test_a_known_kind_without_its_fields_is_kept_as_unknown(fields: dict[str, Any]) -> None:
    assert build("warning", fields) == Unknown("warning", fields)


def test_a_step_of_an_older_log_has_no_memory() -> None:
    fields = fields_of(make(Step, 0.5))
    del fields["memory"]
    step = build("step", fields)
    assert isinstance(step, Step)
    assert (step.loss, step.memory) == (0.5, 0.0)


def test_a_number_of_another_type_is_kept_as_unknown() -> None:
    fields = {"stage": "decode", "done": [1], "total": 2.0}
    assert build("progress", fields) == Unknown("progress", fields)


def test_fields_stand_in_their_order() -> None:
    assert list(fields_of(Stopped("SIGTERM", 4))) == ["reason", "step"]
