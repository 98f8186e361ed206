"""The folder browser on trees that a stranger may have."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from helpers_story import Story, tell
from textual.widget import Widget

from voicetui.screens.base import ConsoleScreen
from voicetui.widgets.folder_browser import FolderBrowser, Listing, Looks, list_folder

LOOKS = Looks(files=lambda name: name.endswith(".wav"))
STRANGE = (
    "[red]brackets[@click=app.exit].wav",
    "esc\x1b[31mape.wav",
    "new\nline.wav",
    "\u202egnp.wav",
    os.fsdecode(b"caf\xe9.wav"),
    "$HOME {x} %s.wav",
    "a" * 240 + ".wav",
)


class Browsing(ConsoleScreen):
    scope = "browsing"
    start = Path("/")

    def body(self) -> Iterable[Widget]:
        yield FolderBrowser(self.start, LOOKS)


def names(listing: Listing) -> list[str]:
    return [entry.name for entry in listing.entries]


def test_folders_come_first_and_only_recordings_follow(tmp_path: Path) -> None:
    for name in ("b.wav", "A.wav", "notes.txt", ".hidden.wav"):
        (tmp_path / name).write_bytes(b"four")
    for name in ("zoo", ".git"):
        (tmp_path / name).mkdir()
    listing = list_folder(tmp_path, LOOKS)
    assert names(listing) == ["..", "zoo", "A.wav", "b.wav"]
    assert [entry.size for entry in listing.entries[2:]] == [4, 4]
    assert listing.others == 1


def test_links_that_lead_nowhere_are_no_entries(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nothing")
    (tmp_path / "itself.wav").symlink_to(tmp_path / "itself.wav")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.wav")
    assert names(list_folder(tmp_path, LOOKS)) == ["..", "loop"]


def test_a_folder_that_cannot_be_read_says_so_and_leads_back(tmp_path: Path) -> None:
    listing = list_folder(tmp_path / "gone", LOOKS)
    assert names(listing) == [".."]
    assert "cannot be read (No such file or directory)" in listing.problem


def test_five_thousand_files_are_listed_at_once(tmp_path: Path) -> None:
    for number in range(5000):
        (tmp_path / f"{number}.wav").touch()
    began = time.perf_counter()
    assert len(list_folder(tmp_path, LOOKS).entries) == 5001
    assert time.perf_counter() - began < 1.0


@pytest.fixture
def browsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Browsing, "start", tmp_path)
    return tmp_path


def browser(story: Story) -> FolderBrowser:
    return story.app.screen.query_one(FolderBrowser)


async def read(story: Story, folder: Path) -> None:
    await story.until(
        lambda: browser(story).listing.folder == folder and browser(story).entry is not None
    )


def test_strange_names_are_shown_as_they_are_and_act_on_nothing(browsing: Path) -> None:
    for name in STRANGE:
        (browsing / name).touch()

    async def look(story: Story) -> None:
        await read(story, browsing)
        assert "[red]brackets[@click=app.exit].wav" in story.text
        assert "esc␛[31mape.wav" in story.text
        assert "new␊line.wav" in story.text
        assert "$HOME {x} %s.wav" in story.text
        assert not set("\x1b\u202e") & set(story.text)

    tell(look, lambda console: console.push_screen(Browsing()))


def test_a_loop_of_links_leads_back_to_where_it_began(browsing: Path) -> None:
    (browsing / "loop").symlink_to(browsing)

    async def walk(story: Story) -> None:
        await read(story, browsing)
        for _ in range(3):
            browser(story).into()
            await story.until(lambda: browser(story).entry is not None)
            assert browser(story).listing.folder == browsing

    tell(walk, lambda console: console.push_screen(Browsing()))


def test_going_up_puts_the_cursor_on_the_folder_that_was_left(browsing: Path) -> None:
    for name in ("one", "two", "three"):
        (browsing / name).mkdir()

    async def walk(story: Story) -> None:
        await read(story, browsing)
        await story.press("down", "down")
        entry = browser(story).entry
        assert entry is not None
        assert entry.name == "two"
        await story.press("enter")
        await read(story, browsing / "two")
        browser(story).up()
        await read(story, browsing)
        entry = browser(story).entry
        assert entry is not None
        assert entry.name == "two"

    tell(walk, lambda console: console.push_screen(Browsing()))
