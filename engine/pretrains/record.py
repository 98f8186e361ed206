"""A stored pretrain as `pretrain.json` beside its files: to plain values and back."""

from __future__ import annotations

import dataclasses
import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

FORMAT_VERSION = 1
T = TypeVar("T")


class NotRecorded(ValueError):
    """A value that is not what its field holds; the text names the field."""


def values_of(item: Any, leave_out: str = "") -> dict[str, Any]:
    """The fields of a dataclass as JSON writes them."""
    values = {
        field.name: getattr(item, field.name)
        for field in dataclasses.fields(item)
        if field.name != leave_out
    }
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return values_of(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def read(cls: type[T], values: Any, **given: Any) -> T:
    """A dataclass from its recorded fields and the given ones. Raises NotRecorded.

    Fields that it does not know are passed over, so that a later version may add some.
    """
    if not isinstance(values, dict):
        raise NotRecorded(f"{cls.__name__} is not an object")
    hints = get_type_hints(cls)
    taken = {
        name: _value(kind, values[name], name)
        for name, kind in hints.items()
        if name in values and name not in given
    }
    try:
        return cls(**taken, **given)
    except TypeError as error:
        raise NotRecorded(f"{cls.__name__} lacks a field") from error


def _value(kind: Any, value: Any, name: str) -> Any:
    origin, choices = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else _value(choices[0], value, name)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(choices[0], item, name) for item in value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return read(kind, value)
    if kind is float and type(value) is int:
        return float(value)
    if value in choices if origin is Literal else type(value) is kind:
        return value
    raise NotRecorded(f"{name} is {type(value).__name__}")
