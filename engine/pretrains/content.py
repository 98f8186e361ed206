"""What a weights file held, taken apart: the tensors of the model, and what lay beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.text import SafeText, clean

if TYPE_CHECKING:
    import torch

State = Mapping[str, "torch.Tensor"]

# Where trainers put the model's tensors: RVC, Applio and coqui; exported voices; others.
_WRAPPERS = ("model", "weight", "state_dict")
_VOICE = "weight"
_SAID = (str, int, bool, float)
_NAME_LENGTH = 80


@dataclass(frozen=True)
class Content:
    """A weights file taken apart.

    `beside` are the entries beside the tensors of the model, "optimizer" and the like; `declared`
    those of an exported voice, which say what it is; `odd` the names of entries that stand among
    the tensors and are none.
    """

    state: State
    beside: Mapping[str, Any] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)
    odd: tuple[str, ...] = ()


def content_of(read: Any) -> Content:
    """Take apart what `weights.load` gave. Names of nested tensors are joined with dots.

    Raises ValueError when two tensors would have one name.
    """
    if not isinstance(read, dict):
        return _taken_apart({"tensor": read} if _is_tensor(read) else read)
    for wrapper in _WRAPPERS:
        inside = read.get(wrapper)
        if isinstance(inside, dict) and any(map(_is_tensor, inside.values())):
            beside = {str(key): value for key, value in read.items() if key != wrapper}
            if wrapper != _VOICE:
                return _taken_apart(inside, beside=beside)
            said = {key: value for key, value in beside.items() if type(value) in _SAID}
            config = beside.get("config")
            listed = {"config": config} if isinstance(config, list) else {}
            return _taken_apart(inside, declared=said | listed)
    apart = {str(key): value for key, value in read.items() if type(value) in _SAID}
    return _taken_apart(
        {key: value for key, value in read.items() if type(value) not in _SAID}, beside=apart
    )


def _taken_apart(read: Any, **rest: Any) -> Content:
    state: dict[str, torch.Tensor] = {}
    odd = []
    for name, value in _leaves(read):
        if not _is_tensor(value):
            odd.append(name)
        elif name in state:
            raise ValueError(f"two tensors are called {name}")
        else:
            state[name] = value
    return Content(state, odd=tuple(odd), **rest)


def _leaves(read: Any) -> Iterator[tuple[str, Any]]:
    """Everything that is no container, by name; a container that is shared is entered once."""
    entered = set()
    waiting = [("", read)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            inside: list[tuple[Any, Any]] = list(value.items())
        elif isinstance(value, list | tuple | set):
            inside = list(enumerate(value))
        else:
            yield name, value
            continue
        if id(value) not in entered:
            entered.add(id(value))
            named = [(f"{name}.{key}" if name else str(key), item) for key, item in inside]
            waiting.extend(reversed(named))


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def short(name: object) -> SafeText:
    """A name from a file, safe to show and not too long."""
    text = str(name)
    return clean(text if len(text) <= _NAME_LENGTH else f"{text[: _NAME_LENGTH - 1]}…")


def listed(names: Sequence[str], many: str, one: str) -> Iterator[str]:
    """A sentence about some names, the first three of them; none where there are none."""
    if names:
        shown = ", ".join(map(short, names[:3])) + (" …" if len(names) > 3 else "")
        yield f"{f'{len(names):,} {many}' if len(names) > 1 else one} ({shown})"
