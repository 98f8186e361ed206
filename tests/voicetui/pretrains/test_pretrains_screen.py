"""The screen of pretrains: what it lists, what narrows it, and why a key does nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers_shelf import asked, listed, put_on, screen_of, shelf
from helpers_stored import keep_bytes
from helpers_story import Story, tell

from engine import places, project, recent
from engine.pretrains import own
from engine.xtts import base as bases
from voicetui.app import Console
from voicetui.screens.dialogs import Message
from voicetui.screens.pretrains.listing import _LOOK_TICKS
from voicetui.screens.pretrains.rows import Pretrains
from voicetui.screens.reading import Reading
from voicetui.widgets.rows import RowList


async def search_for(story: Story, text: str) -> None:
    """Search for a text, and go back to the list."""
    screen = await listed(story)
    await story.press("ctrl+g", "slash")
    await story.type(text)
    await story.press("enter")
    await story.until(lambda: screen.wanted.text == text and screen.query_one(RowList).has_focus)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_a_row_and_its_details_tell_what_is_known(size: tuple[int, int], own_list: Path) -> None:
    kept = keep_bytes("Anna", languages=("en", "de"), hours=3.5)

    async def look(story: Story) -> None:
        await listed(story)
        await search_for(story, "aurora")
        row = story.text.splitlines()[2]
        assert {"Aurora", "40k", "finetune", "sv", "12", "unverified"} <= set(row.split())
        assert ("Someone" in row) == (size[0] > 80)
        assert "Unverified: its hashes are not known beforehand" in _words(story)
        await search_for(story, "anna")
        row = story.text.splitlines()[2]
        assert row.startswith(" ✓ Anna ")
        assert {"40k", "en", "de", "3.5", "h", "here"} <= set(row.split())
        assert "On this machine: fetched" in story.text
        await story.press("enter")
        await story.until(lambda: isinstance(story.app.screen, Reading))
        for text in (kept.commit[:12], "generator, RVC v2, 40k, with pitch, 109 speakers", "sub/D"):
            await story.until(lambda text=text: text in _whole(story), text)

    tell(look, shelf, size)


def _words(story: Story) -> str:
    """The screen as running text, without the list beside the details."""
    return " ".join(" ".join(line[-76:].split()) for line in story.text.splitlines())


def _whole(story: Story) -> str:
    from voicetui.widgets.pager import Pager
    from voicetui.widgets.styled import plain

    return "\n".join(plain(line) for line in story.app.screen.query_one(Pager).lines)


def test_wishes_add_up_and_are_taken_back(own_list: Path) -> None:
    keep_bytes("Anna", 32000, kind="merge", languages=("sv",), author="Someone")

    async def look(story: Story) -> None:
        screen = await listed(story)
        names = lambda: [item.title for item in screen._listed]  # noqa: E731
        everything = len(names())
        await story.press("r")
        assert {item.entry.rate for item in screen._listed} == {24000}
        await story.press("r")
        assert "32k" in screen.title_text()
        await story.press("n", "m")
        await story.until(lambda: names() == ["Anna 32k"])
        await story.press("ctrl+g", "n", "l")
        await story.press("slash")
        await story.type("sv")
        await story.press("enter", "enter")
        await story.until(lambda: names() == ["Aurora 40k", "Borealis 40k", "Anna 32k"])
        await story.press("n", "h")
        await story.until(lambda: names() == ["Anna 32k"])
        assert "here, sv" in story.text.splitlines()[0]
        await story.press("n", "e")
        await story.until(lambda: len(names()) == everything)
        await story.press("n", "a", "slash")
        await story.type("someone")
        await story.press("enter", "enter")
        await story.until(lambda: len(names()) == 3)
        await search_for(story, "no such thing")
        await story.until_shown("No pretrain is “no such thing”; Ctrl-G shows all again.")
        assert "No pretrain is listed" in screen.why_not("get")

    tell(look, shelf)


WHY_NOT = [
    ("aurora-40k", "v", "Aurora 40k is not here yet; f fetches it."),
    ("aurora-40k", "i", "Aurora 40k is not here yet"),
    ("aurora-40k", "o", "Aurora 40k is not here yet"),
    ("aurora-40k", "m", "Aurora 40k is not here yet"),
    ("aurora-40k", "y", "Aurora 40k is not here yet"),
    ("aurora-40k", "u", "For Applio and RVC: o installs it there. Training RVC here comes later."),
    ("aurora-40k", "O", "It is in no Applio or RVC"),
    ("aurora-40k", "x", "Nothing is being done."),
    ("anna-40k", "f", "It is here already; v verifies it."),
    ("anna-40k", "m", "A merge needs two that are here."),
    ("anna-40k", "w", "It has no page."),
    ("broken-40k", "f", "D removes it, then f fetches it again."),
    ("aurora-40k", "D", "Nothing of it is here."),
    (
        "nowhere-48k",
        "f",
        "Nobody knows where it can be fetched from; F takes its files from this machine.",
    ),
    ("xtts-v2.0.3", "o", "not here yet"),
]


def test_a_key_that_does_nothing_says_why(own_list: Path) -> None:
    keep_bytes("Anna")
    (keep_bytes("Broken").folder / "G.safetensors").write_bytes(b"cut")
    own_list.write_text(
        own_list.read_text()
        + '[Nowhere]\n[Nowhere.48k]\n[Broken]\nrepository = "a/b"\n[Broken.40k]'
    )

    async def look(story: Story) -> None:
        screen = await listed(story)
        for slug, key, told in WHY_NOT:
            await put_on(story, slug)
            screen.say("")
            await story.press(key)
            await story.until_shown(told)
            assert story.app.screen is screen

    tell(look, shelf, (100, 30))


def test_what_a_footer_shows_depends_on_the_row(own_list: Path) -> None:
    keep_bytes("Anna")

    async def look(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        assert "install" in story.text.splitlines()[-1]
        assert "fetch" not in story.text.splitlines()[-1]
        await put_on(story, "aurora-40k")
        assert "fetch" in story.text.splitlines()[-1]
        assert "install" not in story.text.splitlines()[-1]

    tell(look, shelf, (160, 24))


def test_the_address_of_a_page_is_shown_and_copied(own_list: Path) -> None:
    kept = keep_bytes("Anna")

    async def look(story: Story) -> None:
        await listed(story)
        await put_on(story, "aurora-40k")
        await story.press("w")
        await story.until_shown("https://huggingface.co/someone/pairs")
        await put_on(story, "anna-40k")
        await story.press("y")
        await story.until(lambda: kept.folder.name in "".join(story.text.split()))

    tell(look, shelf, (160, 30))


def test_a_small_screen_shows_the_states_and_all_that_narrows(own_list: Path) -> None:
    keep_bytes("Anna", kind="merge")

    async def look(story: Story) -> None:
        await listed(story)
        await put_on(story, "aurora-40k")
        row = next(line for line in story.text.splitlines() if "Aurora" in line)
        assert "unverified" in row
        await story.press("n")
        await story.until_shown("Show only those …")
        assert "by an author …" in story.text
        assert " q   cancel" in story.text

    tell(look, shelf, (60, 18))


def look_at_the_disk(story: Story) -> None:
    """Let the clock of the screen tick until it looks again."""
    for _ in range(_LOOK_TICKS):
        screen_of(story).tick()


def test_a_list_of_ones_own_that_is_broken_hides_none_of_ours() -> None:
    own.path().parent.mkdir(parents=True, exist_ok=True)
    own.path().write_text("[Mine\n")

    async def look(story: Story) -> None:
        await listed(story)
        await story.until_shown("This cannot be read")
        for told in ("not valid TOML: Expected ']'", "Mend it, or move it away to work without"):
            assert told in asked(story)
        await story.press("q")
        await search_for(story, "titan")
        assert "  TITAN " in story.text
        await story.until_shown("Not all that there is can be read.")
        before = screen_of(story)
        await story.press("q", "f6")
        await story.until(lambda: story.app.screen not in (before, story.app.screen_stack[1]))
        # It was told; that it is still so stands in the status line.
        await story.until_shown("Not all that there is can be read.")
        assert not isinstance(story.app.screen, Message)
        own.path().write_text("[Mine]\n[Mine.40k]\n")
        look_at_the_disk(story)
        await story.until_shown("All of it can be read again.")
        await put_on(story, "mine-40k")
        own.path().write_text("[Other\n")
        look_at_the_disk(story)
        await story.until(lambda: isinstance(story.app.screen, Message), "what is wrong now")

    def opening(console: Console) -> None:
        console.open_home()
        console.open_pretrains()

    tell(look, opening, (80, 24))


def test_the_files_of_a_base_tell_its_size(home: Path) -> None:
    base = bases.known()["xtts-v2.0.2"]
    folder = places.models_dir("xtts") / base.name
    folder.mkdir(parents=True)
    for file in base.files:
        with (folder / file.path).open("wb") as out:
            out.truncate(file.size or 1_000_000)

    async def look(story: Story) -> None:
        await listed(story)
        await put_on(story, base.name)
        row = next(line for line in story.text.splitlines() if f"✓ {base.name}" in line)
        assert "221 MB" in row
        await story.press("enter")
        await story.until(lambda: isinstance(story.app.screen, Reading))
        assert "model.pth: 1.0 MB" in _whole(story)

    tell(look, shelf)


def test_of_hundreds_of_entries_only_those_in_sight_are_drawn(
    own_list: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [f'["Pair {number:03}".40k]\nauthor = "A{number}"' for number in range(300)]
    own.path().write_text("\n".join(tables))
    drawn: list[int] = []
    line = Pretrains.line

    def counted(rows: Pretrains, index: int, width: int) -> object:
        drawn.append(index)
        return line(rows, index, width)

    monkeypatch.setattr(Pretrains, "line", counted)

    async def look(story: Story) -> None:
        screen = await listed(story)
        assert len(screen.shelf.items) > 300
        drawn.clear()
        await story.press("G")
        page = screen.query_one(RowList).size.height
        assert 0 < len(drawn) <= 2 * page
        drawn.clear()
        await story.press("up")
        assert len(drawn) <= 4
        await search_for(story, "pair 299")
        assert [item.title for item in screen._listed] == ["Pair 299 40k"]

    tell(look, shelf)


@pytest.mark.parametrize("key", ["f6", "p"])
def test_it_is_opened_for_the_project_under_the_cursor(tmp_path: Path, key: str) -> None:
    made = project.create(tmp_path / "voice", name="Ada", language="en", sources=[])
    recent.remember(made.folder)

    async def look(story: Story) -> None:
        await story.until_shown("Ada")
        await story.press(key)
        screen = await listed(story)
        assert (screen.folder == made.folder) == (key == "p")
        if key == "p":
            await put_on(story, "xtts-v2.0.2")
            await story.until_shown("It fits; u takes it as the base.")
            assert "pretrains for Ada" in story.text
        await story.press("f6")
        assert story.app.screen is screen

    tell(look, lambda console: console.open_home())


def test_in_ascii_and_16_colours_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICETUI_ASCII", "1")
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "standard")
    keep_bytes("Anna")

    async def look(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        assert story.app.few_colours
        assert re.search(r"\+ Anna .* here", story.text)
        assert story.text.isascii()

    tell(look, shelf)
