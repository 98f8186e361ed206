from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import places, recent


def written() -> Path:
    return places.state_dir() / recent.FILE_NAME


def test_the_last_opened_is_first(tmp_path: Path) -> None:
    assert recent.folders() == []
    a, b = tmp_path / "a", tmp_path / "b"
    for folder in (a, b, a):
        recent.remember(folder)
    # Both are gone: whoever shows them says so.
    assert recent.folders() == [a, b]
    recent.forget(a)
    recent.forget(tmp_path / "never")
    assert recent.folders() == [b]


def test_names_are_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = Path(os.fsdecode(b"na\xffme [b]x[/]\n"))
    recent.remember(odd)
    assert recent.folders() == [tmp_path / odd]


def test_the_oldest_of_very_many_are_forgotten(tmp_path: Path) -> None:
    entries = [{"folder": str(tmp_path / str(n)), "opened": n} for n in range(recent.MAX_FOLDERS)]
    written().parent.mkdir(parents=True)
    written().write_text(json.dumps({"format": 1, "projects": entries}))
    recent.remember(tmp_path / "new")
    found = recent.folders()
    assert len(found) == recent.MAX_FOLDERS
    assert (found[0], found[-1]) == (tmp_path / "new", tmp_path / "1")


def test_a_clock_that_was_set_back_changes_no_order(tmp_path: Path) -> None:
    written().parent.mkdir(parents=True)
    old = {"folder": str(tmp_path / "old"), "opened": 9e9}
    written().write_text(json.dumps({"format": 1, "projects": [old]}))
    for name in ("new", "newer"):
        recent.remember(tmp_path / name)
    assert recent.folders() == [tmp_path / name for name in ("newer", "new", "old")]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format":2,"projects":[]}', b'{"format":1,"projects":[{}]}', b"\xff\x00"],
)
def test_a_damaged_list_is_set_aside(content: bytes, tmp_path: Path) -> None:
    written().parent.mkdir(parents=True)
    written().write_bytes(content)
    assert recent.folders() == []
    assert written().with_suffix(".damaged").read_bytes() == content
    recent.remember(tmp_path)
    assert recent.folders() == [tmp_path]


def test_where_nothing_can_be_written_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    recent.remember(tmp_path)
    recent.forget(tmp_path)
    assert recent.folders() == []


def test_two_consoles_lose_nothing(tmp_path: Path, fork: Callable[..., Any]) -> None:
    def open_many(name: str) -> None:
        for number in range(10):
            recent.remember(tmp_path / f"{name}{number}")

    children = [fork(lambda name=name: open_many(name)) for name in "ab"]
    assert [child.wait() for child in children] == [0, 0]
    assert set(recent.folders()) == {tmp_path / f"{name}{n}" for name in "ab" for n in range(10)}
