"""The table of keys: free of doubles, and each row does something."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import pytest

from engine.errors import SettingError
from voicetui import keys, screens
from voicetui.app import Console
from voicetui.keys import Key
from voicetui.screens.base import ConsoleScreen, Dialog
from voicetui.widgets.pager import Pager
from voicetui.widgets.rows import RowList


def _load_all_screens() -> None:
    for module in pkgutil.walk_packages(screens.__path__, "voicetui.screens."):
        importlib.import_module(module.name)


def _subclasses(cls: type) -> list[type]:
    found = []
    for sub in cls.__subclasses__():
        # Screens of tests are none of ours.
        if sub.__module__.startswith("voicetui."):
            found.append(sub)
        found += _subclasses(sub)
    return found


_load_all_screens()
SCREENS = {cls.scope: cls for cls in _subclasses(ConsoleScreen) if cls.scope}
OWNERS = {keys.EVERYWHERE: (Console,), keys.LIST: (RowList, Pager)} | {
    scope: (cls,) for scope, cls in SCREENS.items()
}


def test_no_scope_has_a_key_twice_and_none_that_never_arrives() -> None:
    keys.check(keys.TABLE)


def test_no_row_is_there_twice() -> None:
    assert [
        name for name, count in Counter(key.id for key in keys.TABLE).items() if count > 1
    ] == []


@pytest.mark.parametrize("key", keys.TABLE, ids=lambda key: key.id)
def test_each_row_is_explained(key: Key) -> None:
    assert key.help[0].isupper()
    assert key.help.endswith(".")
    assert len(key.help) <= 60
    assert bool(key.label) == bool(key.rank), "what stands in the footer needs a label and a rank"
    assert len(key.label) <= 12


@pytest.mark.parametrize("key", keys.TABLE, ids=lambda key: key.id)
def test_each_row_does_something(key: Key) -> None:
    for owner in OWNERS[key.scope]:
        assert callable(getattr(owner, f"action_{key.action}", None)), f"{owner} has no such action"


@pytest.mark.parametrize("scope", sorted(SCREENS))
def test_each_screen_is_bound_to_its_rows(scope: str) -> None:
    bound = {binding.id for binding in SCREENS[scope].BINDINGS if hasattr(binding, "id")}
    assert {key.id for key in keys.of(scope)} <= bound


@pytest.mark.parametrize("dialog", _subclasses(Dialog), ids=lambda cls: cls.__name__)
def test_each_dialog_closes_without_esc(dialog: type[Dialog[object]]) -> None:
    bound = {
        key
        for cls in dialog.__mro__
        for entry in getattr(cls, "BINDINGS", ())
        for key in (entry[0] if isinstance(entry, tuple) else entry.key).split(",")
    }
    assert "ctrl+g" in bound


def row(scope: str, action: str, names: str) -> Key:
    return Key(scope, action, names, "", "Does it.")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row("a", "one", "x"), row("a", "two", "y,x")], "x is both a.one and a.two"),
        ([row("a", "one", "j"), row(keys.LIST, "down", "down,j")], "j is both a.one and list.down"),
        ([row("a", "one", "q"), row(keys.EVERYWHERE, "leave", "q")], "q is both a.one"),
        ([row("a", "one", "ctrl+b")], "Ctrl-B never arrives"),
    ],
)
def test_the_check_sees_what_it_looks_for(rows: list[Key], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        keys.check(rows)


def test_two_screens_may_use_one_key() -> None:
    keys.check([row("a", "one", "x"), row("b", "two", "x")])


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("question_mark,f1", "?"),
        ("f1", "F1"),
        ("ctrl+c", "Ctrl-C"),
        ("shift+tab", "Shift-Tab"),
        ("G", "G"),
        ("pageup", "PgUp"),
        ("1,2,3", "1-3"),
        ("1", "1"),
        ("ctrl+left", "Ctrl-←"),
    ],
)
def test_keys_are_shown_as_people_write_them(written: str, shown: str) -> None:
    assert keys.names(written) == shown


def test_all_of_a_rows_keys_are_named() -> None:
    assert keys.all_names("question_mark,f1") == "? F1"
    assert keys.all_names("1,2,3,4") == "1-4"
