"""Every screen with texts that want to act on the terminal, or to be wider than they are."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from helpers_clips import clips_project, made_clips, write_clips
from helpers_console import make_console, screen_text
from helpers_jobs import make_project, step, warned
from helpers_stored import keep_bytes
from helpers_terminal import OnTerminal
from rich.cells import cell_len
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input

from engine import recent
from engine.dataset.clips import SourceRef, Word
from engine.doctor import Check
from engine.errors import SettingError
from engine.events import (
    AsrModel,
    ClipDropped,
    Device,
    Epoch,
    Evaluated,
    Event,
    Failed,
    Finished,
    Note,
    Progress,
    RequestDone,
    Samples,
    Saved,
    SourceFailed,
    SourcePrepared,
    Spoke,
    Stage,
    Started,
    Unknown,
    Warned,
)
from engine.jobs import Job
from engine.pretrains import store
from engine.training.checkpoint import Progress as Place
from engine.training.checkpoint import Snapshot, commit
from voicetui import keymap
from voicetui.app import Console, Opening
from voicetui.frames import Frame
from voicetui.painted import Painted
from voicetui.screens.dialogs import Choice, Choose, Message, Prompt
from voicetui.screens.doctor import DoctorScreen
from voicetui.screens.reading import Reading
from voicetui.screens.review.menu import Menu
from voicetui.screens.wizard.listed import Listed

SIZES = [(60, 18), (121, 40)]
# Escapes of every kind, line breaks, reordering, what takes no cell or two, markup, and the like.
CONTROLS = "\x1b[31m\x1b]8;;http://x\x07l\x1b]8;;\x07\x1b]52;c;aGk=\x07\x1bP$q\x1b\\\x9b2J\x90q\x9c\r\n\t\x7f"
SIGNS = "\u202eab\u2066c\u200bd\ufeff\u0301e\u0301漢字👨‍👩‍👧❤️👍🏽🇩🇪\u3164नमस्ते کتاب‌ها"
MARKUP = "[b]x[/b][/][@click=app.quit]q[/] $var {x} %s"
HOSTILE = CONTROLS + SIGNS + MARKUP
MARKS = "z" + "\u0301" * 10_000
BRACKETS = "[" * 10_000
WORD = "漢" * 3_000
# What a folder can be called: bytes that are no UTF-8 too, at most 255 of them.
NAME = "\x1b[31m\x9b\n\t\u202e漢e\u0301👍🏽[b]x[@click=app.quit]$v" + os.fsdecode(b"\xff\x80")
# The most that the name of a voice may hold.
VOICE = "漢👨‍👩‍👧e\u0301👍🏽कि [b]x[@click=app.quit]q[] $var {x}"
SEQUENCES = re.compile("\x1b\\[[0-9;]*[mHX]")

Story = Callable[[Console, Pilot[None]], Awaitable[None]]


def assert_literal(app: Console) -> None:
    """The screen in sight is as wide as it should be, and nothing in it can act."""
    for strip in app.screen._compositor.render_strips(app.size):
        text = strip.text
        assert cell_len(text) == strip.cell_length == app.size.width, repr(text)
        assert not [char for char in text if not char.isprintable() and char != "\u200c"], text
        for segment in strip:
            assert not segment.control
            if segment.style is not None:
                assert segment.style.link is None
                assert not any(name.startswith("@") for name in segment.style.meta)
    update = app.screen._compositor.render_update(full=True)
    sent = SEQUENCES.sub("", Frame(update, Painted()).render_segments(app.console))
    assert not [char for char in sent if not char.isprintable() and char != "\u200c"], sent


def tell(opening: Opening, story: Story, size: tuple[int, int] = (80, 24)) -> None:
    async def run() -> None:
        app = make_console(opening)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(app, pilot)
            assert_literal(app)

    asyncio.run(run())


async def until(app: Console, pilot: Pilot[None], text: str) -> None:
    for _ in range(400):
        if text in screen_text(app):
            return
        await pilot.pause(0.01)
    raise AssertionError(f"{text!r} did not come:\n{screen_text(app)}")


def log(folder: Path, kind: str, *told: Event) -> None:
    job = Job(folder, kind)
    for event in (Started(kind, os.getpid(), "1"), *told):
        job.emit(event)
    job.close()


# --- lists of what is on the disk -----------------------------------------------------------------


@pytest.mark.parametrize("size", [SIZES[0]])
def test_home_and_its_browser(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = make_project(tmp_path / NAME, HOSTILE + MARKS)
    log(folder / "runs" / "0001", "train", Failed("X", HOSTILE), Finished({}))
    named = make_project(tmp_path / "named", VOICE)
    broken = make_project(tmp_path / f"broken{NAME}")
    (broken / "project.toml").write_text(f'name = "{MARKUP}')
    for each in (folder, named, broken):
        recent.remember(each)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "✗")
        for _ in range(3):
            assert_literal(app)
            await pilot.press("j")
        await pilot.press("y", "enter")
        await pilot.pause()
        assert_literal(app)
        app.pop_screen()
        await pilot.press("o")
        await until(app, pilot, "␛[31m")
        assert_literal(app)

    tell(lambda console: console.open_home(), story, size)


def test_checkpoints(tmp_path: Path) -> None:
    folder = make_project(tmp_path / NAME, HOSTILE)
    run = folder / "runs" / "0001"
    log(run, "train", Finished({}))
    facts = {"settings": {HOSTILE: HOSTILE}, "versions": {"x": BRACKETS}, "device": HOSTILE}
    commit(run, Snapshot(Place(step=5), {}, {}, {}, {}, facts))
    (run / "checkpoints" / f"step-{NAME}").mkdir()
    (folder / "export" / NAME).mkdir(parents=True)
    (folder / "export" / NAME / "voicetui.json").write_text(json.dumps({"run": HOSTILE}))

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "␛[31m")
        assert_literal(app)
        await pilot.press("enter")
        await until(app, pilot, "folder")
        assert_literal(app)
        await pilot.press("G")

    tell(lambda console: console.open_checkpoints(folder), story)


# --- a dataset ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SIZES[0]])
def test_a_dataset(tmp_path: Path, size: tuple[int, int]) -> None:
    project = clips_project(tmp_path / "voice", [])
    listed = []
    for number, clip in enumerate(made_clips(8, per_source=2)):
        text = (HOSTILE, MARKS, WORD, BRACKETS)[number % 4]
        words = tuple(word._replace(text=f" {text[:40]}") for word in clip.words)
        listed.append(
            replace(
                clip,
                text=text,
                text_second=HOSTILE,
                words=words or (Word(HOSTILE, 0, 1, 1),),
                source=SourceRef(f"rec/{NAME}.wav", clip.source.sha256),
                reason=HOSTILE if clip.state == "dropped" else "",
                speaker=HOSTILE,
                scores=clip.scores | {HOSTILE: 1.0},
            )
        )
    write_clips(project, listed, wavs=True)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "sure")
        for key in ("j", "j", "j", "z", "z", "s", "q", "e"):
            await pilot.press(key)
            await pilot.pause()
            assert_literal(app)
        app.post_message(Paste(HOSTILE))
        await pilot.pause()
        assert_literal(app)
        await pilot.press("ctrl+g", "slash")
        app.post_message(Paste(HOSTILE))
        await pilot.pause()
        assert_literal(app)
        await pilot.press("ctrl+g")
        for tab in "34":
            await pilot.press(tab)
            await pilot.pause(0.05)
            assert_literal(app)

    tell(lambda console: console.open_dataset(project.folder), story, size)


def test_a_preparation(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "voice", VOICE)
    log(
        folder / "jobs" / "0001-prepare",
        "prepare",
        AsrModel(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        Stage(HOSTILE, 3, HOSTILE),
        SourcePrepared(HOSTILE, 9.0, 5.0, 2, 1, cached=True),
        SourcePrepared(MARKS, 9.0, 5.0, 2, 1, cached=True),
        SourceFailed(WORD, HOSTILE + BRACKETS),
        ClipDropped(HOSTILE, HOSTILE, 0.0, 1.0, HOSTILE),
        Warned(HOSTILE, WORD, HOSTILE, MARKUP),
        Progress(HOSTILE, 1, 3, HOSTILE, HOSTILE),
        Failed("x", HOSTILE),
    )

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "Failed")
        assert_literal(app)
        await pilot.press("g", "j", "j")

    tell(lambda console: console.open_dataset(folder), story)


# --- pretrains ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SIZES[0]])
def test_pretrains(tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"author": HOSTILE, "licence": MARKUP, "note": WORD, "parent": HOSTILE}
    known |= {"languages": (MARKUP, HOSTILE), "repository": "a/b", "folder": NAME}
    kept = keep_bytes("Anna", lineage=(HOSTILE, MARKS), files=(f"{VOICE}/G", f"{VOICE}/D"), **known)
    keep_bytes("Berta")
    record = json.loads((kept.folder / store.RECORD).read_bytes())
    record["files"][0]["facts"] |= {"vocoder": HOSTILE, "problems": [BRACKETS, HOSTILE]}
    (kept.folder / store.RECORD).write_text(json.dumps(record))
    monkeypatch.setenv("HOME", str(tmp_path))
    tool = tmp_path / NAME
    (tool / "rvc").mkdir(parents=True)
    for name in ("app.py", "core.py"):
        (tool / name).touch()
    monkeypatch.chdir(tmp_path)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "Enter shows")
        await pilot.press("G", "k")
        assert_literal(app)
        for opened, shown in (
            (("enter", "G"), "sha256"),
            (("n", "a", "G"), "␛[31m"),
            (("n", "l", "G"), "␛[31m"),
            (("m",), "Merge"),
            (("o",), "␛[31m"),
            (("w",), "huggingface"),
        ):
            await pilot.press(*opened)
            await until(app, pilot, shown)
            assert_literal(app)
            await pilot.press("q")
        await pilot.press("v", "h")
        await until(app, pilot, "whole")
        assert_literal(app)

    tell(lambda console: console.open_pretrains(), story, size)


# --- a run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*SIZES, (200, 50)])
def test_a_run(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = make_project(tmp_path / "voice", VOICE)
    log(
        folder / "runs" / "0001",
        "train",
        Device(HOSTILE, HOSTILE, 1, 1, HOSTILE, HOSTILE),
        Samples(1, 1, 1.0, 1.0),
        Stage(HOSTILE, 1, HOSTILE),
        Epoch(1, 1, 2),
        step(1, steps=2),
        step(2, steps=2, loss=float("nan")),
        Evaluated(2, 1, float("inf"), 0.03, 3.0, 3.0, 3.0, best=True, seconds=1.0),
        Saved(2, 1, HOSTILE, 1, 0.1, best=True),
        Note(HOSTILE, WORD),
        Warned(HOSTILE, HOSTILE, BRACKETS, WORD),
        warned(),
        RequestDone("0", HOSTILE, ok=False, message=MARKS),
        Spoke(NAME, HOSTILE, 2, 1.0),
        Unknown(HOSTILE, {HOSTILE: HOSTILE}),
        Failed(HOSTILE, HOSTILE),
    )

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "failed")
        for key in ("2", "3", "4", "g", "enter", "q", "slash"):
            await pilot.press(key)
            await pilot.pause()
            assert_literal(app)
        app.post_message(Paste(HOSTILE))
        await pilot.pause()

    tell(lambda console: console.open_dashboard(folder), story, size)


# --- what a person types, and what is told --------------------------------------------------------


def test_the_wizard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{NAME}.wav").write_bytes(b"RIFF")
    (tmp_path / NAME).mkdir()
    monkeypatch.chdir(tmp_path)

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "Language")
        app.post_message(Paste(HOSTILE))
        await pilot.pause()
        assert_literal(app)
        await pilot.press("ctrl+n")
        await until(app, pilot, "␛[31m")
        for _ in range(5):
            await pilot.press("space", "j")
            assert_literal(app)
            await pilot.press("ctrl+n")
            await pilot.pause(0.02)

    tell(lambda console: console.open_setup(), story)


def test_the_doctor() -> None:
    checks = [Check(HOSTILE, HOSTILE, "failure", text, HOSTILE) for text in (HOSTILE, WORD, MARKS)]

    async def story(app: Console, pilot: Pilot[None]) -> None:
        await until(app, pilot, "␛[31m")
        await pilot.press("j")

    tell(lambda console: console.push_screen(DoctorScreen(look=lambda *_: checks)), story)


@pytest.mark.parametrize("size", SIZES)
def test_dialogs_keep_their_answers_in_sight(size: tuple[int, int]) -> None:
    long = f"{HOSTILE}\n{BRACKETS}\n{WORD}\n{MARKS}"
    choice = Choice("a", HOSTILE)
    dialogs = [
        (Message(HOSTILE, long), "q   close"),
        (Choose(WORD, long, [choice, Choice("b", "the last one")]), "b   the last one"),
        (Prompt(HOSTILE, long, value=HOSTILE, check=lambda _: long), "Ctrl-G"),
        (Menu(HOSTILE, [choice] * 8), "cancel"),
        (Reading(HOSTILE, [(HOSTILE, long)]), "q   close"),
        (Listed(HOSTILE, [HOSTILE, MARKS, "x" * 100]), "close"),
    ]

    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.open_home()
        for dialog, answer in dialogs:
            app.push_screen(dialog)
            await pilot.pause()
            await pilot.pause()
            assert answer in screen_text(app), screen_text(app)
            assert_literal(app)
            if isinstance(dialog, Message):
                before = screen_text(app)
                await pilot.press("pagedown")
                assert screen_text(app) != before
            app.pop_screen()
        app.say(long, "warn")
        app.tell(HOSTILE, long)
        await pilot.pause()

    tell(lambda _: None, story, size)


def test_what_is_searched_for() -> None:
    async def story(app: Console, pilot: Pilot[None]) -> None:
        for opened in (("question_mark", "slash"), ("colon",)):
            await pilot.press(*opened)
            await pilot.pause()
            app.screen.query_one(Input).value = HOSTILE
            await pilot.pause()
            assert_literal(app)
            app.pop_screen()

    tell(lambda console: console.open_home(), story)


def test_errors_of_a_keymap_are_told_literally() -> None:
    path = keymap.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'"{MARKUP}漢\\u001b[31m" = "x"\n')
    with pytest.raises(SettingError) as failure:
        keymap.load()
    error = failure.value

    async def story(app: Console, pilot: Pilot[None]) -> None:
        app.tell("The keys cannot be read", str(error))
        await pilot.pause()
        assert "[b]x[/b]" in screen_text(app)

    tell(lambda console: console.open_home(), story)


# --- the terminal itself --------------------------------------------------------------------------


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_real_terminal_gets_nothing_but_our_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ascii_only: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("VOICETUI_ASCII", "1" if ascii_only else "0")
    project = make_project(tmp_path / NAME, VOICE)
    child = OnTerminal.forked("hostile", "train", str(project))
    try:
        child.wait_for(b"finished")
        for key in (b"2", b"3", b"4", b"q"):
            child.press(key)
        assert child.end() == 0
    finally:
        child.close()
    shown = child.seen.decode("ascii" if ascii_only else "utf-8")
    # Everything that a console may send: styles, moves, modes, queries, cursor shapes.
    ours = re.compile("\x1b\\[[?>=<]?[0-9;$]*[a-zA-Z]|\x1b\\[[0-9;]*(?:\\$p| q)|\x1b[=>78]|\r|\n")
    rest = ours.sub("", shown)
    assert not [char for char in rest if not char.isprintable() and char != "\u200c"], [
        rest[max(0, i - 60) : i + 60] for i, c in enumerate(rest) if c in "\x1b\x07"
    ]
    assert "[bold]" in rest
