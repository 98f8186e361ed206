"""Every screen with settled data: one moment, one machine, made projects.

The snapshots and the README's pictures are taken of these scenes.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_run import FakeRun
from helpers_clips import write_clips
from helpers_console import make_console
from helpers_pictured_shelf import TASKS, pictured
from helpers_svg import compact
from helpers_world import (
    EPOCHS,
    NOW,
    RECORDINGS,
    STEPS,
    kept_clips,
    preparation,
    reading,
    readings,
    recording,
    recordings,
    seconds_of,
    spoken_clips,
    training,
    write_speech,
)
from textual.events import Paste
from textual.pilot import Pilot

from engine import events, hardware, overview, project, recent
from engine.dataset import accounting
from engine.doctor import Check
from engine.overview import ProjectOverview
from engine.runstate import RunState
from engine.training import saved as saves
from engine.training.saved import Export, Saved
from voicetui import drafts, machine, preferences
from voicetui.app import Console, Opening
from voicetui.drafts import Draft
from voicetui.screens.base import ConsoleScreen
from voicetui.screens.checkpoints import CheckpointsScreen
from voicetui.screens.dashboard import DashboardScreen
from voicetui.screens.dataset import DatasetScreen
from voicetui.screens.demo import DemoScreen
from voicetui.screens.doctor import DoctorScreen
from voicetui.screens.help import HelpScreen
from voicetui.screens.preparation import PreparationPane
from voicetui.screens.pretrains import shelf
from voicetui.screens.setup import SetupScreen
from voicetui.screens.wizard import voice
from voicetui.widgets.lines import Lines

Size = tuple[int, int]
Settle = Callable[[Console, Pilot[None]], Awaitable[None]]
_PATIENCE_SECONDS = 10.0
# Where the run is that works now.
NOW_AT = 522


@dataclass(frozen=True)
class Scene:
    """How a console is opened, and what brings it to rest."""

    opening: Opening
    settle: Settle
    # Whether there is no other screen below it, to which q would go back.
    is_first: bool = False


class World:
    """A home folder with recordings and projects; nothing in it is changed by taking pictures."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.recordings = home / "recordings"
        self.anna = home / "voices" / "anna"
        self.ola = home / "voices" / "ola"
        for name, seconds in RECORDINGS.items():
            recording(self.recordings / name, seconds)
        (self.recordings / "phone call.mp3").write_bytes(b"cut off")
        (self.recordings / "older").mkdir()
        (self.recordings / "notes.txt").touch()
        made = project.create(
            self.anna, name="Anna", language="en", sources=[self.recordings], base="xtts-v2.0.3"
        )
        project.create(
            self.ola, name="Ola", language="pl", sources=[self.recordings], base="xtts-v2.0.3"
        )
        clips = spoken_clips()
        write_clips(made, clips, wavs=False)
        (made.dataset_dir / accounting.FILE_NAME).write_bytes(accounting.encode(recordings()))
        for clip in clips:
            if clip.state == "suspect":
                write_speech(made.dataset_dir / clip.wav, clip)
        for folder in (self.anna, self.ola):
            job = folder / "jobs" / "0001-prepare"
            job.mkdir(parents=True)
            (job / "events.jsonl").touch()

    @contextlib.contextmanager
    def pinned(self, *, busy: bool = False) -> Iterator[None]:
        """Let all screens see one moment, one machine and this home."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(self.home))
            patch.setenv("TZ", "UTC")
            patch.setenv("TERM", "xterm-256color")
            patch.setenv("COLORTERM", "truecolor")
            patch.delenv("NO_COLOR", raising=False)
            time.tzset()
            patch.chdir(self.home / "voices")
            for screen in (DashboardScreen, CheckpointsScreen, PreparationPane, DemoScreen):
                patch.setattr(screen, "clock", staticmethod(lambda: NOW))
            for module in (hardware, machine):
                patch.setattr(module, "Monitor", lambda: _Monitor(busy))
            patch.setattr(voice, "disk", lambda _: reading(busy=False).disk)
            yield
        time.tzset()


class _Monitor:
    """Reads a made machine."""

    def __init__(self, busy: bool) -> None:
        self._busy = busy

    def __enter__(self) -> _Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, folder: Path) -> hardware.Reading:
        return readings()[-1] if self._busy else reading(busy=False)


def console_of(scene: Scene) -> Console:
    """A console that shows a scene, on a terminal that knows all signs."""

    def opening(console: Console) -> None:
        if not scene.is_first:
            console.push_screen(ConsoleScreen())
        scene.opening(console)

    console = make_console(opening)
    console.ascii_only = False
    return console


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys; words are typed as a terminal pastes them."""
    for key in keys:
        if key.startswith("paste "):
            pilot.app.post_message(Paste(key.removeprefix("paste ")))
            await pilot.pause()
        else:
            await pilot.press(key)
    await pilot.pause()


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the scene did not come to rest"
        await pilot.pause(0.01)
    await pilot.pause()


async def at_once(console: Console, pilot: Pilot[None]) -> None:
    """Nothing needs to be waited for."""
    await pilot.pause()


# --- home and setup -------------------------------------------------------------------------------


def home(world: World, patch: pytest.MonkeyPatch) -> Scene:
    """Six projects at different places of the road; one of them trains now."""

    def seen(name: str, folder: str, language: str, **more: Any) -> ProjectOverview:
        base = more.pop("base", "xtts-v2.0.3")
        return ProjectOverview(world.home / "voices" / folder, name, language, base, **more)

    ran: dict[str, Any] = {"run": "0002", "epochs": EPOCHS, "steps": EPOCHS * STEPS}
    listed = [
        seen("Anna", "anna", "en", minutes=seconds_of(kept_clips()) / 60, clips=len(kept_clips()), run_state="running", running="0002",
             epoch=9, step=NOW_AT, best_loss=2.886, next_step="watch",
             advice=f"Run 0002 is at work, step {NOW_AT} of {EPOCHS * STEPS}: watch it.", **ran),
        seen("Grandfather's letters", "letters", "de", minutes=112.0, clips=1_204,
             run_state="finished", epoch=15, step=EPOCHS * STEPS, best_loss=2.734, next_step="export",
             advice="Run 0002 is finished: export the voice.", **ran),
        seen("Ola", "ola", "pl", minutes=8.6, clips=97, next_step="review",
             advice="Look through the 97 clips, or train right away."),
        seen("Narrator", "narrator", "es", minutes=31.9, clips=388, run_state="stopped", epoch=6,
             step=402, best_loss=3.012, base="narrator-v1", next_step="resume",
             advice="Run 0002 is stopped at step 402: go on with it.", **ran),
        seen("Radio play", "radio-play", "en", minutes=204.5, clips=2_377, running="0003-prepare",
             next_step="watch", advice="Job 0003-prepare is at work: watch it."),
        seen("old-voice", "old-voice", "", problem="~/voices/old-voice is gone. Bring it back, or "
             "take it off the list."),
    ]  # fmt: skip
    by_folder = {each.folder: each for each in listed}
    patch.setattr(recent, "folders", lambda: list(by_folder))
    patch.setattr(overview, "overview", by_folder.__getitem__)

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        screen: Any = console.screen
        await until(pilot, lambda: len(screen._seen) == len(listed))
        await has_machine(pilot)

    return Scene(Console.open_home, settle, is_first=True)


async def has_machine(pilot: Pilot[None]) -> None:
    screen: Any = pilot.app.screen
    await until(pilot, lambda: screen._machine.latest)
    screen._show_machine()
    await pilot.pause()


def empty_home(world: World, patch: pytest.MonkeyPatch) -> Scene:
    async def settle(console: Console, pilot: Pilot[None]) -> None:
        await has_machine(pilot)

    return Scene(Console.open_home, settle, is_first=True)


def setup(world: World, patch: pytest.MonkeyPatch, step: int) -> Scene:
    """The wizard at one of its steps, with everything answered before."""
    answers = Draft(
        name="Anna",
        language="en",
        folder="~/voices/anna-two",
        own_folder=True,
        sources=tuple(
            str(world.recordings / name)
            for name in ("interview.wav", "letters 1924.wav", "phone call.mp3", "questions.wav")
        ),
        base="xtts-v2.0.3",
        profile="high-quality",
        values={"training.epochs": "20"} if step > 3 else {},
        step=step,
    )
    drafts.save(None, answers)

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        await pilot.press("g")
        screen = console.screen
        assert isinstance(screen, SetupScreen)
        await until(pilot, lambda: screen.step is not None)
        await until(pilot, lambda: screen.counting.totals and screen.counting.totals.done)
        if step >= 4:
            await until(pilot, lambda: screen.machine.watch(True) or screen.machine.latest)
        if step == 1:
            await until(pilot, lambda: len(screen.query_one("#browser").rows) > 4)  # type: ignore[attr-defined]
            await pilot.press("down", "down")
        screen._poll()
        await pilot.pause()

    return Scene(lambda console: console.open_setup(), settle)


# --- the dataset ----------------------------------------------------------------------------------


def dataset(
    world: World, patch: pytest.MonkeyPatch, tab: str, *keys: str, ended: bool = True
) -> Scene:
    """One of its tabs; without `ended` while the recordings are being prepared."""
    folder = world.anna if ended else world.ola
    run = FakeRun(folder / "jobs" / "0001-prepare", "prepare")
    told = preparation(ended=ended)
    for seconds, event in told:
        run.emit(event, at=NOW - 170 + seconds)

    def opening(console: Console) -> None:
        console.watch_job = lambda _: run  # type: ignore[method-assign]
        console.open_dataset(folder)

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        screen = console.screen
        assert isinstance(screen, DatasetScreen)
        await until(pilot, lambda: screen.tab)
        if not ended:
            return
        await until(pilot, lambda: screen.pane.clip.shown)
        await pilot.press(tab)
        if tab == "3":
            await until(pilot, lambda: screen.query_one("#losses").rows)  # type: ignore[attr-defined]
        if tab == "4":
            await until(pilot, lambda: screen.query_one("#figures").lines)  # type: ignore[attr-defined]
        for key in keys:
            await pilot.press(key)
        if tab == "1":
            await until(pilot, lambda: screen.pane.clip.shown.id == screen.pane.current.id)  # type: ignore[union-attr]

    return Scene(opening, settle)


# --- a run ----------------------------------------------------------------------------------------


def dashboard(
    world: World,
    patch: pytest.MonkeyPatch,
    epochs: float,
    *more: events.Event,
    overtrained: bool = False,
    keys: Sequence[str] = (),
) -> Scene:
    """A run that has done so many of its epochs, and told `more` at the end."""
    run = FakeRun(world.anna / "runs" / "0002")
    told = training(epochs, overtrained=overtrained)
    begun = NOW - told[-1][0] - 1
    for seconds, event in told:
        run.emit(event, at=begun + seconds)
    for event in more:
        run.emit(event, at=NOW - 1)

    def opening(console: Console) -> None:
        console.watch_job = lambda _: run  # type: ignore[method-assign]
        console.open_dashboard(world.anna, run.folder)

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        screen: Any = console.screen
        await until(pilot, lambda: screen._gauges._taken)
        for each in readings()[:-1]:
            screen._gauges._history.add(each)
        screen.tick()
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
        screen.tick()
        screen.draw_all()
        await pilot.pause()

    return Scene(opening, settle)


def checkpoints(world: World, patch: pytest.MonkeyPatch) -> Scene:
    """Two runs, the newer one at work; two exports."""
    losses = {run: _losses(overtrained=run == "0001") for run in ("0001", "0002")}

    def saved(run: str, epoch: int, *, live: bool, hours: float, **marks: bool) -> Saved:
        step = epoch * STEPS
        name = f"runs/{run}/checkpoints/step-{step:06d}"
        return Saved(
            run, world.anna / name, step, epoch, losses[run][epoch - 1],
            5_320_000_000, NOW - 3600 * hours, marks.get("best", False), marks.get("last", False),
            live, "", None,
        )  # fmt: skip

    listed = [
        saved("0002", 9, live=True, hours=0.05, best=True, last=True),
        saved("0002", 8, live=True, hours=0.09),
        saved("0002", 7, live=True, hours=0.13),
        saved("0001", 15, live=False, hours=21.2, last=True),
        replace(
            saved("0001", 12, live=False, hours=21.5),
            damage="model.safetensors is shorter than its manifest says.",
            loss=None,
        ),
        saved("0001", 9, live=False, hours=21.8, best=True),
    ]
    made = [
        Export(
            world.anna / "export" / "anna-first", "0001", 9 * STEPS, 1_868_000_000, NOW - 70_000
        ),
        Export(
            world.anna / "export" / "anna-early", "0001", 4 * STEPS, 1_868_000_000, NOW - 78_000
        ),
    ]
    patch.setattr(saves, "checkpoints", lambda _: listed)
    patch.setattr(saves, "exports", lambda _: made)

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        screen: Any = console.screen
        await until(pilot, lambda: screen._saved)

    return Scene(lambda console: console.open_checkpoints(world.anna), settle)


def _losses(*, overtrained: bool) -> list[float]:
    told = training(15, overtrained=overtrained)
    return [event.loss for _, event in told if isinstance(event, events.Evaluated)]


# --- the rest -------------------------------------------------------------------------------------


CHECKS = [
    Check("driver", "GPU", "ok", "570.86.15, for CUDA up to 12.8", ""),
    Check("GPU 0", "GPU", "ok", "RTX 4090, 22.8 GB of 24.0 GB free, tier A", ""),
    Check("memory", "Machine", "ok", "54.0 GB of 62.7 GB free", ""),
    Check("/dev/shm", "Machine", "ok", "31.4 GB of 31.4 GB free", ""),
    Check(
        "disk",
        "Machine",
        "warning",
        "11.2 GB of 250.0 GB free for /workspace/voices",
        "A checkpoint takes 5.3 GB. Free 20 GB or more, or lower keep_checkpoints.",
    ),
    Check("size", "Terminal", "ok", "80x24", ""),
    Check("colours", "Terminal", "ok", "256 (TERM is tmux-256color)", ""),
    Check("XTTS bases", "Models", "ok", "xtts-v2.0.3", ""),
    Check(
        "torch on GPU",
        "Try-outs",
        "failure",
        "CUDA error: no kernel image is available for execution on the device",
        "This card needs a build of torch for its generation: reinstall torch.",
    ),
]


def doctor(world: World, patch: pytest.MonkeyPatch) -> Scene:
    async def settle(console: Console, pilot: Pilot[None]) -> None:
        screen: Any = console.screen
        await until(pilot, lambda: screen._helper is not None and screen._helper.done)
        screen._show_more()
        await pilot.pause()

    def opening(console: Console) -> None:
        console.push_screen(DoctorScreen(look=lambda *_: CHECKS))

    return Scene(opening, settle)


def help_screen(world: World, patch: pytest.MonkeyPatch, *keys: str) -> Scene:
    async def settle(console: Console, pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(pilot, *keys)

    return Scene(lambda console: console.push_screen(HelpScreen("dashboard")), settle)


def pretrains(world: World, patch: pytest.MonkeyPatch) -> Scene:
    """The shelf, with the cursor on a pretrain that is here."""
    made = pictured(world.home, project.load(world.anna))
    patch.setattr(shelf, "read", lambda _: made)

    def opening(console: Console) -> None:
        for task in TASKS:
            console.fetches.add(task)
        console.open_pretrains(world.anna)

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        screen: Any = console.screen
        await until(pilot, lambda: screen.shelf.items)
        screen.wish_for("titan-40k")
        screen.show_list()
        console._refresh_title()

    return Scene(opening, settle)


def demo(world: World, patch: pytest.MonkeyPatch) -> Scene:
    """The demo while its recordings are being prepared."""
    folder = world.home / "voicetui-demo"

    def job(kind: str, seconds: float, *, works: bool) -> Any:
        state = RunState(job=kind, state="running" if works else "finished", elapsed=seconds)
        state.started_at = NOW - seconds
        ended = None if works else SimpleNamespace(state="finished", error=None)
        session = SimpleNamespace(job=SimpleNamespace(kind=kind))
        return SimpleNamespace(
            session=session, outcome=ended, state=state, poll=list, folder=folder / kind
        )

    def opening(console: Console) -> None:
        def run_road(_: object) -> None:
            console.host._jobs = [job("base", 2, works=False), job("prepare", 31, works=True)]
            console.host._road = threading.current_thread()

        console.host.run_road = run_road  # type: ignore[method-assign]
        console.open_demo(folder)

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        screen = console.screen
        await until(pilot, lambda: len(screen.query_one("#demo-steps", Lines).lines) > 1)
        console._refresh_title()
        await pilot.pause()

    return Scene(opening, settle)


def pressed(scene: Scene, *keys: str) -> Scene:
    """A scene after more keys, such as one that opens a dialog."""

    async def settle(console: Console, pilot: Pilot[None]) -> None:
        await scene.settle(console, pilot)
        await press(pilot, *keys)

    return replace(scene, settle=settle)


_PAUSED = (events.Paused(NOW_AT),)
_FINISHED = (
    events.Warned(
        "overtraining",
        "The held-out loss has risen since epoch 9.",
        "The voice copies its recordings more and more, and speaks other texts worse.",
        "Take the best checkpoint; more epochs make it worse.",
    ),
    events.Finished({"step": EPOCHS * STEPS, "best_loss": 2.898, "best_step": 9 * STEPS}),
)
SCENES: dict[str, Callable[[World, pytest.MonkeyPatch], Scene]] = {
    "home": home,
    "home-empty": empty_home,
    "setup-1": lambda world, patch: setup(world, patch, 0),
    "setup-2": lambda world, patch: setup(world, patch, 1),
    "setup-3": lambda world, patch: setup(world, patch, 2),
    "setup-4": lambda world, patch: setup(world, patch, 3),
    "setup-5": lambda world, patch: setup(world, patch, 4),
    "setup-6": lambda world, patch: setup(world, patch, 5),
    "preparing": lambda world, patch: dataset(world, patch, "2", ended=False),
    "prepared": lambda world, patch: dataset(world, patch, "2"),
    "review": lambda world, patch: dataset(world, patch, "1", "j", "j"),
    "ledger": lambda world, patch: dataset(world, patch, "3"),
    "statistics": lambda world, patch: dataset(world, patch, "4"),
    "drop": lambda world, patch: pressed(dataset(world, patch, "1"), "d"),
    "dashboard": lambda world, patch: dashboard(world, patch, NOW_AT / STEPS),
    "paused": lambda world, patch: dashboard(world, patch, NOW_AT / STEPS, *_PAUSED, keys="3"),
    "finished": lambda world, patch: dashboard(world, patch, 15, *_FINISHED, overtrained=True),
    "checkpoints": checkpoints,
    "pretrains": pretrains,
    "help": lambda world, patch: help_screen(world, patch, "2"),
    "help-find": lambda world, patch: help_screen(
        world, patch, "4", "slash", "paste slow", "enter"
    ),
    "doctor": doctor,
    "demo": demo,
    "palette": lambda world, patch: pressed(
        dashboard(world, patch, NOW_AT / STEPS), "colon", *"sav"
    ),
}
# Those of a machine at work.
_BUSY = frozenset({"dashboard", "paused", "finished", "palette"})


async def pictures(
    name: str, world: World, sizes: Sequence[Size], themes: Sequence[str]
) -> dict[tuple[Size, str], str]:
    """The SVG of a scene at each size in each theme."""
    drawn: dict[tuple[Size, str], str] = {}
    with world.pinned(busy=name in _BUSY), pytest.MonkeyPatch.context() as patch:
        preferences.save(preferences.Preferences(theme=themes[0]))
        scene = SCENES[name](world, patch)
        console = console_of(scene)
        async with console.run_test(size=sizes[0]) as pilot:
            await pilot.pause()
            await scene.settle(console, pilot)
            for size in sizes:
                if size != sizes[0]:
                    await pilot.resize_terminal(*size)
                await _rest(console, pilot)
                # The theme in sight goes first: to change it takes time.
                for theme in sorted(themes, key=lambda theme: theme != console.theme):
                    if theme != console.theme:
                        console.theme = theme
                        await pilot.pause()
                        await pilot.pause()
                    drawn[size, theme] = compact(console.export_screenshot(simplify=True))
    return drawn


async def _rest(console: Console, pilot: Pilot[None]) -> None:
    """Wait until what is shown stays the same."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    before: list[object] = []
    while time.monotonic() < deadline:
        await pilot.pause()
        if any(not worker.is_finished for worker in console.workers):
            continue
        # Dialogs show what is behind them.
        screens = [*console._background_screens, console.screen]
        now = [each for s in screens for each in s._compositor.render_strips(console.size)]
        if now == before:
            return
        before = now
    raise AssertionError("the picture does not come to rest")
