"""The list of checkpoints and exports."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_console import make_console, piloted, screen_text
from helpers_jobs import make_project
from textual.pilot import Pilot
from textual.widgets import Input

from engine import lock
from engine.events import Evaluated, Exported, Finished, Spoke, Started
from engine.jobs import Job, new_folder
from engine.session import Session
from engine.training import checkpoint
from engine.training.checkpoint import Progress, Snapshot
from voicetui.app import Console
from voicetui.screens import flow
from voicetui.screens.base import Dialog
from voicetui.screens.checkpoints import CheckpointsScreen
from voicetui.screens.dialogs import Choose, Message, Prompt
from voicetui.screens.doctor import DoctorScreen
from voicetui.screens.reading import Reading
from voicetui.widgets.bars import StatusLine
from voicetui.widgets.styled import plain


def commit(run: Path, step: int, best: int) -> Path:
    tensors = {"w": torch.zeros(4)}
    progress = Progress(step=step, epoch=step // 100, best_step=best, best_loss=3.0)
    facts = {"settings": {"learning_rate": 5e-06, "seed": 7}, "versions": {"torch": "2.8"}}
    return checkpoint.commit(run, Snapshot(progress, tensors, tensors, tensors, {}, facts))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Runs 0001 (steps 100, the best, and 200) and 0002 (step 100), and an export."""
    folder = make_project(tmp_path / "voice")
    for run, losses in (("0001", {100: 3.0, 200: 3.2}), ("0002", {100: 3.1})):
        job = Job(folder / "runs" / run, "train")
        job.emit(Started("train", 1, "0"))
        for step, loss in losses.items():
            job.emit(Evaluated(step, 1, loss, 0.03, loss, 3.0, loss, step == 100, 1.0))
            commit(folder / "runs" / run, step, 100)
        job.close()
    export = folder / "export/mine"
    export.mkdir(parents=True)
    (export / "voicetui.json").write_text(json.dumps({"run": "0001", "step": 200}))
    return folder


def squeezed(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char != "│")


class Screen:
    """The screen with a hand on its keys."""

    def __init__(self, console: Console, pilot: Pilot[None]) -> None:
        self.console = console
        self.pilot = pilot

    @property
    def screen(self) -> CheckpointsScreen:
        return next(s for s in self.console.screen_stack if isinstance(s, CheckpointsScreen))

    @property
    def text(self) -> str:
        return screen_text(self.console)

    @property
    def said(self) -> str:
        return "".join(plain(line) for line in self.screen.query_one(StatusLine).lines).strip()

    def holds(self, text: str) -> bool:
        """Whether a text is on the screen, however it is broken into lines of a dialog."""
        return squeezed(text) in squeezed(self.text)

    async def shows(self, *texts: str) -> None:
        await self.until(lambda: all(map(self.holds, texts)))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, f"{self.said}\n{self.text}"
            await self.pilot.pause(0.01)
            self.screen.tick()

    async def dialog(self, kind: type[Dialog[Any]]) -> None:
        await self.until(lambda: isinstance(self.console.screen, kind))
        await self.pilot.pause()


@contextlib.asynccontextmanager
async def showing(project: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Screen]:
    console = make_console(lambda console: console.open_checkpoints(project))
    async with console.run_test(size=size) as pilot:
        screen = Screen(console, pilot)
        await screen.until(lambda: "Reading" not in screen.text)
        yield screen


@pytest.fixture
def asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the engine's sessions were asked for."""
    calls: list[tuple[Any, ...]] = []

    def speak(_project: Any, text: str, which: str, **options: Any) -> Session:
        calls.append(("speak", text, which, options))

        def work(job: Job) -> Finished:
            step = int(which.rpartition("/")[2])
            job.emit(Spoke(f"/voice/{which.replace('/', '-')}.wav", text, step, 1.5))
            return Finished({})

        return Session(Job(new_folder(project / "jobs", "speak"), "speak"), work)

    def export(_project: Any, **options: Any) -> Session:
        calls.append(("export", options))

        def work(job: Job) -> Finished:
            job.emit(Exported(str(project / "export/new"), 100, 1000))
            return Finished({})

        return Session(Job(new_folder(project / "jobs", "export"), "export"), work)

    monkeypatch.setattr("engine.xtts.speak.session", speak)
    monkeypatch.setattr("engine.xtts.export.session", export)
    monkeypatch.delenv("TMUX", raising=False)
    return calls


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@piloted
async def test_all_checkpoints_and_exports_are_listed(project: Path, size: tuple[int, int]) -> None:
    async with showing(project, size) as screen:
        rows = screen.text.splitlines()
        assert "held-out" in rows[1]
        assert rows[2].split()[:5] == ["★", "0002", "100", "1", "3.100"]
        assert "best, last" in rows[2]
        assert rows[3].split()[:4] == ["0001", "200", "2", "3.200"]
        assert rows[4].split()[:5] == ["★", "0001", "100", "1", "3.000"]
        await screen.shows("step 200  run 0001")


@piloted
async def test_a_damaged_one_is_marked_and_not_spoken_with(
    project: Path, asked: list[tuple[Any, ...]]
) -> None:
    (project / "runs/0001/checkpoints/step-000200" / checkpoint.WEIGHTS).write_bytes(b"x")
    async with showing(project) as screen:
        assert "damaged" in screen.text.splitlines()[3]
        await screen.press("down", "t")
        assert "damaged; take another one" in screen.said
        assert asked == []


@piloted
async def test_an_empty_project_says_how_checkpoints_come(tmp_path: Path) -> None:
    async with showing(make_project(tmp_path / "new")) as screen:
        assert "a training saves one after each epoch" in screen.text
        await screen.press("v")
        assert screen.said == "There is no checkpoint yet."


@piloted
async def test_verifying_reads_every_byte(project: Path) -> None:
    broken = project / "runs/0001/checkpoints/step-000200" / checkpoint.WEIGHTS
    content = bytearray(broken.read_bytes())
    content[-1] ^= 1
    broken.write_bytes(content)
    async with showing(project) as screen:
        await screen.press("v")
        await screen.until(lambda: screen.said.startswith("Step 100 is whole"))
        assert "verified" in screen.text.splitlines()[2]
        await screen.press("down", "v")
        await screen.dialog(Message)
        await screen.shows("This checkpoint is damaged")


@piloted
async def test_deleting_asks_for_a_second_key(project: Path) -> None:
    folder = project / "runs/0001/checkpoints/step-000200"
    async with showing(project) as screen:
        await screen.press("down", "x")
        await screen.dialog(Choose)
        await screen.shows("Its run goes on from it.")
        await screen.press("q")
        assert folder.exists()
        await screen.press("x", "x")
        await screen.until(lambda: not folder.exists())
        await screen.until(lambda: len(screen.screen._saved) == 2)
        assert "Deleted step 200" in screen.said


@piloted
async def test_a_live_run_keeps_its_newest(project: Path) -> None:
    with lock.hold(project, "train"):
        job = Job(project / "runs/0002", "train")
        job.emit(Started("train", os.getpid(), "0"))
        async with showing(project) as screen:
            assert "at work" in screen.text.splitlines()[2]
            await screen.press("x")
            assert "stop it first." in screen.said
            assert not isinstance(screen.console.screen, Choose)
        job.close()


@piloted
async def test_one_speaks_a_sentence(project: Path, asked: list[tuple[Any, ...]]) -> None:
    async with showing(project) as screen:
        await screen.press("down", "t")
        await screen.dialog(Prompt)
        screen.console.screen.query_one(Input).value = "Hello."
        await screen.press("enter")
        await screen.dialog(Message)
        assert asked == [("speak", "Hello.", "0001/200", {"on_cpu": False, "earlier": ""})]
        await screen.shows("/voice/0001-200.wav")


@piloted
async def test_two_speak_the_same_sentence(project: Path, asked: list[tuple[Any, ...]]) -> None:
    async with showing(project) as screen:
        await screen.press("b")
        assert screen.said.startswith("A is step 100")
        assert screen.text.splitlines()[2].split()[0] == "A"
        await screen.press("down", "b")
        await screen.dialog(Prompt)
        screen.console.screen.query_one(Input).value = "Hello."
        await screen.press("enter")
        await screen.dialog(Message)
        assert [call[1:3] for call in asked] == [("Hello.", "0002/100"), ("Hello.", "0001/200")]
        await screen.shows(
            "A  step 100", "B  step 200", "/voice/0002-100.wav", "/voice/0001-200.wav"
        )
        assert screen.console.clipboard.startswith("scp ")


@piloted
async def test_a_comparison_ends_though_its_screen_was_left(
    project: Path, asked: list[tuple[Any, ...]]
) -> None:
    async with showing(project) as screen:
        await screen.press("b", "down", "b")
        await screen.dialog(Prompt)
        console = screen.console
        console.screen.query_one(Input).value = "Hello."
        await screen.press("enter")
        await console.switch_screen(DoctorScreen())
        # Another question is open meanwhile.
        flow.begin(console, "asking", _asking(console))
        deadline = time.monotonic() + 5
        said = ""
        while "K on the dashboard lists it" not in said:
            assert time.monotonic() < deadline, f"{said}\n{asked}"
            await screen.pilot.pause(0.01)
            status = [s for s in console.screen_stack if isinstance(s, DoctorScreen)][-1]
            said = "".join(map(plain, status.query_one(StatusLine).lines))
        assert [call[2] for call in asked] == ["0002/100", "0001/200"]
        assert "Spoken: /voice/0002-100.wav, /voice/0001-200.wav" in said


async def _asking(console: Console) -> None:
    await flow.ask(console, Prompt("Something else?", "", value=""))


@piloted
async def test_what_was_spoken_is_listed(project: Path) -> None:
    samples = project / "runs/0001/samples"
    samples.mkdir()
    for number in range(5):
        wav = samples / f"step-000100-{number}.wav"
        wav.touch()
        os.utime(wav, (number, number))
    async with showing(project, (200, 50)) as screen:
        await screen.shows("SPOKEN")
        assert "samples/step-000100-4.wav" in screen.text
        assert "samples/step-000100-1.wav" not in screen.text
        assert "and 2 more beside them" in screen.text


@piloted
async def test_a_mark_is_taken_back_by_the_same_key(project: Path) -> None:
    async with showing(project) as screen:
        await screen.press("b", "b")
        assert screen.said == "Nothing is marked."
        assert screen.text.splitlines()[2].split()[0] == "★"


@piloted
async def test_one_is_exported(project: Path, asked: list[tuple[Any, ...]]) -> None:
    async with showing(project) as screen:
        await screen.press("G", "o")
        await screen.dialog(Prompt)
        screen.console.screen.query_one(Input).value = "new"
        await screen.press("enter")
        await screen.dialog(Message)
        assert asked == [("export", {"checkpoint": "0001/100", "name": "new", "force": False})]
        await screen.shows("The voice is exported", str(project / "export/new"))


@piloted
async def test_enter_tells_what_it_holds(project: Path) -> None:
    async with showing(project) as screen:
        await screen.press("enter")
        await screen.dialog(Reading)
        await screen.shows("Run 0002, step 100", "weights")
        await screen.press("G")
        await screen.shows("learning_rate  5e-06")
        await screen.press("q")
        assert not isinstance(screen.console.screen, Reading)


@piloted
async def test_copy_takes_the_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with showing(project) as screen:
        await screen.press("down", "y")
        assert screen.console.clipboard.endswith("runs/0001/checkpoints/step-000200")


@piloted
async def test_new_checkpoints_come_into_the_list(project: Path) -> None:
    async with showing(project) as screen:
        commit(project / "runs/0002", 300, 100)
        await screen.until(lambda: len(screen.screen._saved) == 4)
        commit(project / "runs/0002", 400, 100)
        await screen.press("r")
        await screen.until(lambda: len(screen.screen._saved) == 5)
