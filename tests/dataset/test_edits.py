from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_files import limit_files_to

from engine.dataset import edits
from engine.dataset.edits import Change, Form, Journal, Swap
from engine.errors import BusyError, DiskFullError, StopRequested


def text_of(identifier: str, before: str, after: str) -> Form:
    return Form((Change(identifier, "f" * 64, 1.0, 3.0, {"text": before}, {"text": after}),))


def labels(journal: Journal) -> tuple[list[str], list[str]]:
    return [e.label for e in journal.done], [e.label for e in journal.undone]


def written(folder: Path, *names: str) -> Journal:
    journal = Journal(folder)
    for name in names:
        journal.edit(name, text_of(name, "old", f"new {name}"))
    return journal


def test_the_stacks_come_back_as_they_were(tmp_path: Path) -> None:
    journal = written(tmp_path, "a", "b", "c")
    journal.undo()
    journal.undo()
    journal.redo()
    assert labels(journal) == (["a", "b"], ["c"])
    again = Journal(tmp_path)
    assert labels(again) == labels(journal)
    assert again.form(again.undone[-1]) == text_of("c", "old", "new c")
    again.edit("d", text_of("d", "old", "new"))
    assert labels(again) == labels(Journal(tmp_path)) == (["a", "b", "d"], [])
    journal.close()
    again.close()


def test_what_tables_may_lack_is_played_in_order(tmp_path: Path) -> None:
    journal = written(tmp_path, "a", "b")
    journal.undo()
    played = [patch.assign for patch in Journal(tmp_path).tail()]
    assert played == [
        (("a", {"text": "new a"}),),
        (("b", {"text": "new b"}),),
        (("b", {"text": "old"}),),
    ]
    journal.written()
    journal.redo()
    assert [patch.assign for patch in Journal(tmp_path).tail()] == [(("b", {"text": "new b"}),)]
    journal.close()


def test_a_swap_goes_both_ways(tmp_path: Path) -> None:
    form = Form(swaps=(Swap(({"id": "a"},), ({"id": "b", "wav": "wavs/x.wav"}, {"id": "c"})),))
    journal = Journal(tmp_path)
    journal.edit("split", form)
    journal.close()
    back = Journal(tmp_path)
    found = back.form(back.done[0])
    assert found == form
    assert found.wavs == {"wavs/x.wav"}
    assert found.ids == ("b", "c")
    there, here = found.patch(forward=True), found.patch(forward=False)
    assert (there.remove, [row["id"] for row in there.add]) == (("a",), ["b", "c"])
    assert (here.remove, [row["id"] for row in here.add]) == (("b", "c"), ["a"])


def test_a_preparation_gives_edits_another_form(tmp_path: Path) -> None:
    journal = written(tmp_path, "a", "b")
    journal.prepared({1: text_of("z", "fresh", "new a")}, [{"of": 2, "id": "b"}])
    again = Journal(tmp_path)
    assert not list(again.tail())
    assert again.form(again.done[0]) == text_of("z", "fresh", "new a")
    assert again.original(again.done[0]) == text_of("a", "old", "new a")
    assert again.form(again.done[1]) == text_of("b", "old", "new b")
    assert again.orphans == ({"of": 2, "id": "b"},)
    journal.close()


@pytest.mark.parametrize("torn", [b"{", b'{"v":1,"seq":3,"kind":"edit"', b"\0\0\0"])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    written(tmp_path, "a", "b").close()
    whole = (tmp_path / edits.FILE_NAME).read_bytes()
    (tmp_path / edits.FILE_NAME).write_bytes(whole + torn)
    journal = Journal(tmp_path)
    assert labels(journal) == (["a", "b"], [])
    assert not journal.grown()
    journal.undo()
    journal.close()
    assert (tmp_path / edits.FILE_NAME).read_bytes().startswith(whole + b'{"v":1,"seq":3,')
    again = Journal(tmp_path)
    assert labels(again) == (["a"], ["b"])
    assert again.damaged == 0


def test_damaged_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    journal = written(tmp_path, "a", "b", "c")
    journal.undo()
    journal.close()
    path = tmp_path / edits.FILE_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"new b", b"nxw b")
    path.write_bytes(b"".join(lines))
    again = Journal(tmp_path)
    assert labels(again) == (["a"], ["c"])
    assert again.damaged == 1
    lines[2] = b"\xff\n"
    path.write_bytes(b"".join(lines))
    assert labels(Journal(tmp_path)) == (["a"], [])
    assert Journal(tmp_path).damaged == 2


def test_a_full_disk_leaves_the_journal_whole(tmp_path: Path, fork: Callable[..., Any]) -> None:
    written(tmp_path, "a").close()
    whole = (tmp_path / edits.FILE_NAME).read_bytes()

    def fill() -> None:
        limit_files_to(len(whole) + 50)
        journal = Journal(tmp_path)
        with pytest.raises(DiskFullError, match=r"edits\.jsonl"):
            journal.edit("b", text_of("b", "old", "new"))
        assert labels(journal) == (["a"], [])

    assert fork(fill).wait() == 0
    assert (tmp_path / edits.FILE_NAME).read_bytes() == whole


def test_lines_of_somebody_else_are_noticed(tmp_path: Path) -> None:
    journal = written(tmp_path, "a")
    other = Journal(tmp_path)
    assert not other.grown()
    journal.undo()
    assert other.grown()
    assert not journal.grown()
    journal.close()


def test_a_journal_that_was_cut_is_not_gone_on_with(tmp_path: Path) -> None:
    journal = written(tmp_path, "a", "b")
    whole = journal.path.read_bytes()
    # Somebody put an older one back.
    journal.path.write_bytes(whole[: whole.index(b"\n") + 1])
    assert journal.grown()
    journal.close()


def test_two_writers_at_once_are_told_of_each_other(
    tmp_path: Path, fork: Callable[..., Any]
) -> None:
    with edits.hold(tmp_path, "review"):

        def other() -> None:
            with (
                pytest.raises(BusyError, match=rf"process {os.getppid()} on .* \(review,"),
                edits.hold(tmp_path, "review"),
            ):
                pass

        assert fork(other).wait() == 0


def test_a_preparation_waits_until_it_may_write(tmp_path: Path) -> None:
    asked = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise StopRequested("SIGINT")

    with (
        edits.hold(tmp_path, "review"),
        pytest.raises(StopRequested),
        edits.hold_soon(tmp_path, "prepare", check),
    ):
        pass
    with edits.hold_soon(tmp_path, "prepare", check):
        assert len(asked) == 2
