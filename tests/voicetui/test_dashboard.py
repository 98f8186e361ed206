"""The dashboard, on a run whose every event a test gives."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_run import FakeRun, evaluated, step, story
from helpers_console import make_console, piloted, screen_text
from helpers_jobs import HOSTILE, make_project
from textual.pilot import Pilot

from engine import events, places
from engine import project as projects
from engine.errors import RefusedError
from engine.jobs import Job, new_folder
from engine.session import Session
from engine.training import checkpoint
from engine.training.memory import CHECKPOINT_BYTES
from engine.xtts.base import FILES
from engine.xtts.network import network_of
from voicetui.app import Console
from voicetui.listening import CLIPBOARD_NAME
from voicetui.screens.base import Dialog
from voicetui.screens.checkpoints import CheckpointsScreen
from voicetui.screens.dashboard import DashboardScreen
from voicetui.screens.dialogs import Choose, Message, Prompt
from voicetui.screens.home import HomeScreen
from voicetui.screens.panels.headline import elapsed
from voicetui.screens.panels.machine import Gauges
from voicetui.widgets.bars import StatusLine
from voicetui.widgets.styled import plain

NOW = 1_790_000_000.0


def squeezed(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char != "│")


class Dashboard:
    """A dashboard that shows a fake run, with a hand on both."""

    def __init__(self, console: Console, pilot: Pilot[None], run: FakeRun) -> None:
        self.console = console
        self.pilot = pilot
        self.run = run

    @property
    def screen(self) -> DashboardScreen:
        found = [s for s in self.console.screen_stack if isinstance(s, DashboardScreen)]
        return found[-1]

    @property
    def said(self) -> str:
        """The status line of the screen."""
        return "".join(plain(line) for line in self.screen.query_one(StatusLine).lines).strip()

    @property
    def text(self) -> str:
        return screen_text(self.console)

    def holds(self, text: str) -> bool:
        """Whether a text is on the screen, however it is broken into lines of a dialog."""
        return squeezed(text) in squeezed(self.text)

    async def shows(self, *texts: str) -> None:
        await self.until(lambda: all(map(self.holds, texts)), " and ".join(texts))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def tell(self, *told: events.Event) -> None:
        """Let the run tell something, and the dashboard see it."""
        self.run.emit(*told)
        await self.settle()

    async def settle(self) -> None:
        await self.pilot.pause()
        self.screen.tick()
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a line in place of what stands there, and accept it."""
        dialog = self.console.screen
        assert isinstance(dialog, Prompt)
        dialog.query_one("Input").value = text  # type: ignore[attr-defined]
        await self.press("enter")

    async def dialog(self, kind: type[Dialog[Any]]) -> None:
        """Wait until a dialog of this kind is on the screen."""
        await self.until(lambda: isinstance(self.console.screen, kind), kind.__name__)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for what a helper thread does."""
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.said}\n{self.text}"
            await self.pilot.pause(0.01)
            self.screen.tick()


async def until_shown(board: Dashboard, text: str) -> None:
    """Wait for what stands on another screen."""
    deadline = time.monotonic() + 5
    while not board.holds(text):
        assert time.monotonic() < deadline, board.text
        await board.pilot.pause(0.01)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "voice")


@contextlib.asynccontextmanager
async def showing(
    project: Path,
    *told: events.Event,
    size: tuple[int, int] = (80, 24),
    job: str = "runs/0001",
    **options: Any,
) -> AsyncIterator[Dashboard]:
    run = FakeRun(project / job, "train" if job.startswith("runs") else "prepare", **options)
    run.emit(*told)
    console = make_console(lambda console: console.open_dashboard(project, run.folder))
    own = console.watch_job
    console.watch_job = lambda folder: run if folder == run.folder else own(folder)  # type: ignore[method-assign,assignment]
    async with console.run_test(size=size) as pilot:
        board = Dashboard(console, pilot, run)
        await board.settle()
        yield board


def finished() -> events.Finished:
    return events.Finished({"step": 200, "best_loss": 3.2, "best_step": 200})


def warned(code: str = "flat", seen: str = "The held-out loss is flat.") -> events.Warned:
    return events.Warned(code, seen, "It learns no more.", "Stop and take the best checkpoint.")


# --- what it shows ----------------------------------------------------------------------------------


@piloted
async def test_all_that_matters_stands_at_80x24(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DashboardScreen, "clock", staticmethod(lambda: NOW + 100))
    async with showing(project) as board:
        for event in story(250):
            board.run.emit(event, at=NOW)
        board.run.emit(warned(), at=NOW)
        await board.settle()
        lines = board.text.splitlines()
        assert "voice · run 0001" in lines[0]
        assert "▶ running" in lines[1]
        assert "epoch 3/4" in lines[1]
        assert "step 250/400" in lines[1]
        assert "62 %" in lines[1]
        # 300 s were left 100 s ago.
        assert "ETA 3 min 20 s" in lines[1]
        assert "train 2.7" in lines[2]
        assert "★" in "\n".join(lines[2:11])
        assert "▼-0.100" in board.text
        assert "falling: more epochs will help" in board.text
        assert "CPU" in board.text
        assert "next checkpoint needs 5.2 GB" in board.text
        assert "⚠ The held-out loss is flat." in board.text
        assert "→ Stop and take the best checkpoint." in board.text
        assert "3 warnings 1" in board.text
        assert all(len(line) <= 80 for line in lines)


@piloted
async def test_a_large_screen_shows_everything_at_once(project: Path) -> None:
    async with showing(project, *story(250), warned(), size=(200, 50)) as board:
        for part in (
            "EVAL PERFORMANCE",
            "MACHINE",
            "WARNINGS",
            "EVENTS",
            "means  It learns no more.",
            "to do  Stop and take the best checkpoint.",
            "step-000200",
            "best 3.200 at step 200",
            "run 0001",
        ):
            assert part in board.text, part
        assert "1 evaluations" not in board.text


@piloted
async def test_earlier_voices_stand_below_the_evaluations(project: Path) -> None:
    def voice(name: str, change: float) -> events.VoiceEvaluated:
        return events.VoiceEvaluated(name, 200, 4, 5, 4 + change, 2.0, 4 + change, 4.0, change)

    told = [*story(250), voice("Anna", 0.1), voice("Carl", 0.3)]
    async with showing(project, *told, size=(200, 50)) as board:
        lines = [line for line in board.text.splitlines() if "▲+0." in line]
        assert "Carl 4.300 ▲+0.300 since the start" in lines[0]
        assert "Anna 4.100 ▲+0.100 since the start" in lines[1]


@piloted
async def test_100x30_shows_evaluations_machine_advice_and_events(project: Path) -> None:
    async with showing(project, *story(250), warned(), size=(100, 30)) as board:
        for part in ("EVAL PERFORMANCE", "MACHINE", "ADVICE", "EVENTS", "▼-0.100", "epoch 3/4"):
            assert part in board.text, part
        await board.press("3")
        assert "to do  Stop and take the best" in board.text


@piloted
async def test_panes_are_switched_by_number_and_by_tab(project: Path) -> None:
    async with showing(project, *story(200), warned()) as board:
        await board.press("2")
        assert "next checkpoint needs" in board.text
        assert "falling" not in board.text
        await board.press("3")
        assert "to do  Stop and take the best checkpoint." in board.text
        await board.press("tab")
        assert "step-000200" in board.text
        await board.press("shift+tab", "1")
        assert "falling" in board.text


@piloted
async def test_how_a_run_stands_is_told_with_the_next_step(project: Path) -> None:
    endings: list[tuple[events.Event, str, str]] = [
        (events.Paused(200), "‖ paused", "p goes on."),
        (events.Stopped("request", 200), "■ stopped", "c goes on from step 200."),
        (events.Failed("FailedError", "no memory left"), "✗ failed", "no memory left"),
        (finished(), "✓ finished", "o exports it"),
    ]
    async with showing(project, *story(200)) as board:
        for ending, sign, advice in endings:
            await board.tell(ending)
            assert sign in board.text.splitlines()[1]
            assert "ETA" not in board.text.splitlines()[1]
            assert advice in board.text


@piloted
async def test_a_crashed_run_says_so(project: Path) -> None:
    async with showing(project, *story(200)) as board:
        board.run.state.state = "crashed"
        board.run.state.message = "ended without a word"
        await board.settle()
        assert "✗ crashed" in board.text
        assert "c goes on from step 200." in board.text
        assert " c  continue" in board.text
        assert " x  stop" not in board.text


@piloted
async def test_what_comes_before_the_first_step_is_told(project: Path) -> None:
    begun = (events.Started("train", 1, "0"), events.Stage("features", 120, "clips"))
    async with showing(project, *begun, events.Progress("features", 30, 120, "clips")) as board:
        assert "▶ running   features  30 of 120 clips" in board.text.splitlines()[1]


@piloted
async def test_hostile_text_is_shown_literally(project: Path) -> None:
    hostile = events.Warned(HOSTILE, f"[red]seen[/] {HOSTILE}", "[/]", "[@click=app.quit]x[/]")
    ending = events.Failed("X", f"[bold]failed[/] {HOSTILE}")
    for size in ((80, 24), (200, 50)):
        async with showing(project, *story(100), hostile, size=size) as board:
            assert "[red]seen[/] ␛]52" in board.text
            assert "[@click=app.quit]x[/]" in board.text
            await board.tell(ending)
            assert "[bold]failed[/] ␛]52" in board.text
            assert not any(ord(char) < 32 and char != "\n" for char in board.text)


@piloted
async def test_numbers_that_are_none_do_not_break_it(project: Path) -> None:
    bad = [step(201, loss=float("nan"), grad_norm=float("inf")), evaluated(201, float("nan"))]
    async with showing(project, *story(200), *bad) as board:
        assert "step 201/400" in board.text
        assert "not a number" in board.text


@piloted
async def test_while_a_long_log_is_read_it_tells_how_far(project: Path) -> None:
    async with showing(project, *story(200)) as board:
        board.run.behind, board.run.read_share = True, 0.43
        await board.settle()
        assert "reading the log… 43 %" in board.text
        board.run.behind = False
        await board.settle()
        assert "reading the log" not in board.text


@piloted
async def test_another_kind_of_job_shows_its_stage_and_events(project: Path) -> None:
    told = (events.Started("prepare", 1, "0"), events.Stage("clips", 8, "files"))
    more = events.Progress("clips", 2, 8, "files")
    async with showing(project, *told, more, job="jobs/0001-prepare") as board:
        assert "25 %  2 of 8 files" in board.text
        assert "prepare begins" in board.text
        assert "loss" not in board.text
        await board.press("c")
        assert board.said.startswith("It runs already")
        await board.press("m")
        assert board.said == "There is no training in sight."


@piloted
async def test_without_a_run_it_says_what_comes_next(project: Path) -> None:
    console = make_console(lambda console: console.open_dashboard(project))
    async with console.run_test(size=(80, 24)) as pilot:
        while "c starts the training" not in screen_text(console):
            await pilot.pause(0.01)
        assert "No training run yet." in screen_text(console)
        assert "c  start" in screen_text(console)
        await pilot.press("x")
        assert "Nothing runs here now" in screen_text(console)


@piloted
async def test_a_run_that_another_shell_starts_comes_into_sight(project: Path) -> None:
    console = make_console(lambda console: console.open_dashboard(project))
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        job = Job(project / "runs/0001", "train")
        job.emit(events.Started("train", 1, "0"))
        job.close()
        screen = console.screen
        assert isinstance(screen, DashboardScreen)
        for _ in range(6):
            screen.tick()
        await pilot.pause()
        assert "voice · run 0001" in screen_text(console)
        # Its process is not alive.
        assert "crashed" in screen_text(console)


# --- asking the run ---------------------------------------------------------------------------------


@piloted
async def test_stop_asks_once_more_and_then_asks_the_run(project: Path) -> None:
    async with showing(project, *story(200), answers=False) as board:
        await board.press("x", "q", "x")
        assert isinstance(board.console.screen, Choose)
        assert board.run.asked == []
        await board.press("x")
        assert board.run.asked == [("stop", {})]
        assert board.said == "Asked the run to stop after this step…"
        assert "▶ stopping" in board.text
        await board.tell(events.RequestDone("000000000000", "stop", ok=True))
        assert board.said.startswith("The run stops at its next safe point")
        await board.tell(events.Stopped("request", 200))
        assert board.said.startswith("Stopped after step 200")
        assert "■ stopped" in board.text


@piloted
async def test_pause_and_go_on_by_one_key(project: Path) -> None:
    async with showing(project, *story(200)) as board:
        await board.press("p")
        assert "▶ pausing" in board.text
        await board.tell(events.Paused(200))
        assert "‖ paused" in board.text
        assert board.said == "Paused after step 200; p goes on."
        assert "p  go on" in board.text
        # Nothing works while it waits.
        assert elapsed(board.run.state, time.time() + 3600) == board.run.state.elapsed
        await board.press("p")
        await board.tell(events.Continued(200))
        assert [verb for verb, _ in board.run.asked] == ["pause", "resume"]
        assert "▶ running" in board.text
        assert "p  pause" in board.text


@piloted
async def test_save_is_told_when_asked_and_when_done(project: Path) -> None:
    async with showing(project, *story(200), answers=False) as board:
        await board.press("s")
        assert board.said == "Asked the run for a checkpoint…"
        message = f"step 12345 is saved, kept until {checkpoint.kept_until(2)}"
        await board.tell(events.RequestDone("000000000000", "save", ok=True, message=message))
        assert board.said == (
            "Step 12345 is saved, kept until 2 newer saves (keep_checkpoints); o exports it."
        )


@piloted
async def test_a_refused_request_says_why(project: Path) -> None:
    async with showing(project, *story(200), answers=False) as board:
        await board.press("s")
        await board.tell(
            events.RequestDone("000000000000", "save", ok=False, message=f"no {HOSTILE}")
        )
        assert board.said.startswith("The run did not save: no ␛]52")


@piloted
async def test_a_run_that_ends_before_it_answers_is_not_waited_for(project: Path) -> None:
    async with showing(project, *story(200), answers=False) as board:
        await board.press("s")
        await board.tell(events.Failed("FailedError", "no memory left"))
        assert board.said == "Failed: no memory left"


@piloted
async def test_a_request_without_an_answer_is_mentioned(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with showing(project, *story(200), answers=False) as board:
        await board.press("s")
        later = time.time() + 10
        monkeypatch.setattr(DashboardScreen, "clock", staticmethod(lambda: later))
        await board.settle()
        assert board.said.startswith("Still waiting to save")


@piloted
async def test_what_only_a_live_run_can_do_says_so(project: Path) -> None:
    async with showing(project, *story(200), finished()) as board:
        for key in ("x", "p", "s"):
            board.screen.say("")
            await board.press(key)
            assert board.said == "Nothing runs here now; c goes on with the run."
        assert board.run.asked == []


# --- going on ---------------------------------------------------------------------------------------


class Sessions:
    """Takes the place of the engine's sessions; `asked` holds their arguments."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.refuse = ""

    def maker(self, name: str, *told: events.Event) -> Callable[..., Session]:
        def session(_project: Any, *more: Any, **options: Any) -> Session:
            self.asked.append((name, more, {**options, "overrides": dict(_project.overrides)}))
            if self.refuse:
                raise RefusedError(self.refuse)

            def work(job: Job) -> events.Finished:
                for event in told:
                    job.emit(event)
                return events.Finished({})

            folder = new_folder(self.project / ("runs" if name == "train" else "jobs"), name)
            return Session(Job(folder, name), work)

        return session


@pytest.fixture
def sessions(project: Path, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    made = Sessions(project)
    wav = project / "runs/0001/samples/it's a $(wav).wav"
    spoke = events.Spoke(str(wav), "Hello.", 200, 1.5)
    exported = events.Exported(str(project / "export/voice"), 200, 1_900_000_000)
    monkeypatch.setattr("engine.xtts.train.session", made.maker("train"))
    monkeypatch.setattr("engine.xtts.speak.session", made.maker("speak", spoke))
    monkeypatch.setattr("engine.xtts.export.session", made.maker("export", exported))
    for name in ("TMUX", "PULSE_SERVER", "PIPEWIRE_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.9 51000 198.51.100.7 22")
    return made


def with_checkpoints(
    monkeypatch: pytest.MonkeyPatch, done: int, asked: int, unsaved: str = ""
) -> None:
    """Let the project hold run 0001 with checkpoints."""
    from voicetui.screens import going_on

    standing = going_on.Standing("0001", done, asked, unsaved)
    monkeypatch.setattr(going_on, "look", lambda project: standing)


@piloted
async def test_a_crashed_run_goes_on_by_one_key(
    project: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_checkpoints(monkeypatch, 2, 4)
    async with showing(project, *story(200)) as board:
        board.run.state.state = "crashed"
        await board.press("c")
        await board.until(lambda: board.screen.watched is not board.run, "the session")
        (asked,) = sessions.asked
        assert asked == (
            "train",
            (),
            {"resume": True, "fresh": False, "inexact": False, "overrides": {}},
        )


@piloted
async def test_a_finished_run_can_train_more_epochs(
    project: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_checkpoints(monkeypatch, 4, 4)
    async with showing(project, *story(200), finished()) as board:
        await board.press("c")
        await board.dialog(Choose)
        await board.shows("Run 0001 is finished")
        await board.press("e")
        await board.dialog(Prompt)
        await board.type("4")
        await board.shows("A whole number above 4.")
        await board.type("9")
        await board.until(lambda: bool(sessions.asked), "the session")
        (_, _, options) = sessions.asked[0]
        assert options["resume"]
        assert options["overrides"] == {"training.epochs": 9}


@piloted
async def test_a_run_that_ended_early_goes_on_without_the_early_end(
    project: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_checkpoints(monkeypatch, 3, 8)
    async with showing(project, *story(200), finished()) as board:
        await board.press("c")
        await board.dialog(Choose)
        await board.shows("ended early after 3 of 8")
        await board.press("e")
        await board.dialog(Prompt)
        await board.press("enter")
        await board.until(lambda: bool(sessions.asked), "the session")
        overrides = sessions.asked[0][2]["overrides"]
        assert overrides == {"training.epochs": 8, "training.early_stop_epochs": 0}


@pytest.mark.parametrize(
    ("key", "way"), [("i", {"resume": True, "inexact": True}), ("f", {"fresh": True})]
)
@piloted
async def test_a_run_that_would_not_be_exact_asks(
    project: Path,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    way: dict[str, bool],
) -> None:
    with_checkpoints(monkeypatch, 2, 4)
    message = "Run 0001 would not continue exactly: settings.seed was 1 and is 2. Undo the change."
    async with showing(project, *story(200), is_ours=False) as board:
        await board.tell(events.Failed("NotExactError", message))
        await board.press("c")
        await board.dialog(Choose)
        await board.shows("settings.seed was 1 and is 2")
        await board.press(key)
        await board.until(lambda: bool(sessions.asked), "the session")
        given = sessions.asked[0][2]
        assert {name for name in ("resume", "fresh", "inexact") if given[name]} == set(way)


@piloted
async def test_a_session_of_ours_that_is_not_exact_asks_by_itself(
    project: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_checkpoints(monkeypatch, 2, 4)
    async with showing(project, *story(200)) as board:
        await board.tell(events.Failed("NotExactError", "It would not be exact."))
        await board.dialog(Choose)
        await board.press("q")
        assert sessions.asked == []


@piloted
async def test_a_refusal_is_told(
    project: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_checkpoints(monkeypatch, 2, 4)
    sessions.refuse = "The project is busy; [bold]wait[/]."
    async with showing(project, *story(200), events.Stopped("request", 200)) as board:
        await board.press("c")
        await board.dialog(Message)
        await board.shows("The project is busy; [bold]wait[/].")


# --- speaking and exporting -------------------------------------------------------------------------


@piloted
async def test_a_live_run_saves_first_and_speaks_on_the_cpu(
    project: Path, sessions: Sessions
) -> None:
    async with showing(project, *story(250), answers=False) as board:
        await board.press("t")
        await board.dialog(Prompt)
        await board.shows("Shall we walk?")
        await board.type("Hello there.")
        await board.until(lambda: bool(board.run.asked), "the request")
        assert board.run.asked == [("save", {})]
        assert sessions.asked == []
        await board.tell(events.RequestDone("000000000000", "save", ok=True))
        await board.dialog(Message)
        (asked,) = sessions.asked
        assert asked == (
            "speak",
            ("Hello there.", "0001/last"),
            {"on_cpu": True, "earlier": "", "overrides": {}},
        )
        await board.shows("Spoken with step 200", "it's a $(wav).wav", "@198.51.100.7:")
        stored = (places.state_dir() / CLIPBOARD_NAME).read_text()
        assert stored.startswith("scp ")
        assert board.console.preferences.sentences == {"en": "Hello there."}


@piloted
async def test_leaving_while_it_saves_keeps_nothing_else_from_being_done(
    project: Path, sessions: Sessions
) -> None:
    async with showing(project, *story(250), answers=False) as board:
        await board.press("t")
        await board.dialog(Prompt)
        await board.press("enter")
        await board.until(lambda: bool(board.run.asked), "the request")
        await board.console.switch_screen(HomeScreen())
        # What was saved before speaks, and its end is told on the screen in sight.
        await until_shown(board, "Spoken: runs/0001/samples/it's a $(wav).wav; K on the dashboard")
        assert [asked for asked, *_ in sessions.asked] == ["speak"]
        assert not [worker for worker in board.console.workers if worker.group == "flow"]


@piloted
async def test_a_save_that_fails_speaks_nothing(project: Path, sessions: Sessions) -> None:
    async with showing(project, *story(250), answers=False) as board:
        await board.press("t")
        await board.dialog(Prompt)
        await board.press("enter")
        await board.until(lambda: bool(board.run.asked), "the request")
        await board.tell(events.RequestDone("000000000000", "save", ok=False, message="disk full"))
        await board.until(lambda: "Not spoken: disk full" in board.said, "the refusal")
        assert sessions.asked == []


@piloted
async def test_an_ended_run_speaks_with_its_best(project: Path, sessions: Sessions) -> None:
    async with showing(project, *story(200), finished()) as board:
        await board.press("t")
        await board.dialog(Prompt)
        await board.press("enter")
        await board.dialog(Message)
        assert sessions.asked[0][1][1] == "0001/best"
        assert sessions.asked[0][2]["on_cpu"] is False
        assert board.run.asked == []
        await board.press("q")
        assert board.said == "Spoken: runs/0001/samples/it's a $(wav).wav"
        await board.press("y")
        await board.dialog(Message)
        await board.shows("scp ")


@piloted
async def test_an_earlier_voice_of_the_base_can_be_chosen(
    project: Path, sessions: Sessions, tmp_path: Path
) -> None:
    base = tmp_path / "carl"
    base.mkdir()
    for name in FILES:
        (base / name).touch()
    card = {"voice": "Carl", "language": "de", "epochs": 3, "lineage": ["Dora"]}
    (base / "voicetui.json").write_text(json.dumps(card))
    replace(projects.load(project), base=str(base)).save()
    async with showing(project, *story(200), finished()) as board:
        await board.press("t")
        await board.dialog(Choose)
        await board.shows("Dora", "Carl")
        await board.press("3")
        await board.dialog(Prompt)
        await board.shows("Gehen wir?")
        await board.press("enter")
        await board.dialog(Message)
        ((_, (text, _), options),) = sessions.asked
        assert text.startswith("Der Regen")
        assert options["earlier"] == "Carl"


@piloted
async def test_export_asks_which_and_its_name(project: Path, sessions: Sessions) -> None:
    (project / "export/mine").mkdir(parents=True)
    async with showing(project, *story(200), finished()) as board:
        await board.press("o")
        await board.dialog(Choose)
        await board.shows("the best: step 200, held-out loss 3.200")
        await board.press("l")
        await board.dialog(Prompt)
        await board.type("../out")
        await board.shows("only.")
        await board.type("mine")
        await board.dialog(Choose)
        await board.shows("export/mine exists")
        await board.press("r")
        await board.dialog(Message)
        (asked,) = sessions.asked
        assert asked == (
            "export",
            (),
            {"checkpoint": "0001/last", "name": "mine", "force": True, "overrides": {}},
        )
        await board.shows("Step 200, 1.9 GB")
        await board.press("q", "y")
        await board.dialog(Message)
        await board.shows("/export/voice")


@piloted
async def test_without_a_checkpoint_there_is_nothing_to_export(project: Path) -> None:
    async with showing(project, *story(50)) as board:
        await board.press("o")
        assert board.said.startswith("There is no checkpoint yet")


# --- the chart, the events, and elsewhere -----------------------------------------------------------


@piloted
async def test_chart_keys_change_the_chart_and_say_so(project: Path) -> None:
    async with showing(project, *story(250)) as board:
        chart = board.screen.chart
        # Whatever has the focus.
        await board.press("4", "m")
        assert chart.metric.name == "text_ce"
        assert board.said.startswith("Chart: text loss.")
        assert "text loss  " in board.text
        await board.press("M", "M")
        assert chart.metric.name == "memory"
        await board.press("M", "l")
        assert chart.view.log
        await board.press("plus")
        assert chart.shown_steps != (1, 250)
        zoomed = chart.shown_steps
        await board.press("left")
        assert chart.shown_steps < zoomed
        await board.press("right")
        assert chart.shown_steps == zoomed
        await board.press("minus")
        assert chart.shown_steps == (1, 250)
        await board.press("comma")
        assert chart.cursor == 250
        assert "steps" in board.said
        await board.press("comma", "full_stop")
        assert chart.cursor is not None
        await board.press("z")
        assert chart.frozen
        await board.tell(step(251))
        assert chart.shown_steps == (1, 250)
        await board.press("0")
        assert (chart.frozen, chart.view.log, chart.cursor) == (False, False, None)
        assert chart.shown_steps == (1, 251)


@piloted
async def test_earlier_runs_are_laid_over_the_chart(project: Path) -> None:
    for number in (1, 2):
        job = Job(project / f"runs/000{number}", "train")
        job.emit(step(1))
        job.close()
    async with showing(project, *story(100), job="runs/0003") as board:
        for names in (["run 0002"], ["run 0001", "run 0002"], []):
            await board.press("v")
            await board.until(
                lambda names=names: [o.name for o in board.screen.overlays] == names, "overlays"
            )
            assert [overlay.name for overlay in board.screen.chart.data.overlays] == names
            await board.until(lambda: board.said.startswith("Compared with"), "what is shown")


@piloted
async def test_events_are_grouped_filtered_and_opened(project: Path) -> None:
    async with showing(project, *story(200), warned()) as board:
        await board.press("4")
        await board.tell(events.Note("x", "something to note"))
        assert "something to note" in board.text
        await board.press("e")
        assert "Events: all." in board.said
        assert "step 200/400" in board.text
        await board.press("e", "e", "e", "slash", *"step-000100", "enter")
        assert "step-000100  5.2 GB" in board.text
        assert "step-000200" not in board.text
        await board.press("enter")
        assert isinstance(board.console.screen, Message)
        assert "saved: step-000100" in board.text
        await board.press("q", "slash", *"[b]", "enter")
        assert 'No event holds "[b]".' in board.text


@piloted
async def test_the_other_screens_are_one_key_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with showing(project, *story(100)) as board:
        await board.press("K")
        assert isinstance(board.console.screen, CheckpointsScreen)
        await board.press("q")
        opened: list[Path] = []
        monkeypatch.setattr(board.console, "open_dataset", opened.append)
        await board.press("d")
        assert opened == [project]


@piloted
async def test_what_ends_meanwhile_is_said_on_the_dashboard_only(project: Path) -> None:
    async with showing(project, *story(100)) as board:
        await board.press("K")
        await board.tell(finished())
        over = board.console.screen.query_one(StatusLine)
        assert "".join(map(plain, over.lines)) == ""
        await board.press("q")
        assert board.said == "Finished. o exports the voice, t lets it speak."


def test_before_the_first_save_the_base_tells_its_size(tmp_path: Path) -> None:
    gauges = Gauges()
    gauges.set_needed(None, None)
    assert gauges.needed == CHECKPOINT_BYTES
    small = '{"model_args": {"gpt_layers": 2, "gpt_n_model_channels": 64}}'
    (tmp_path / "config.json").write_text(small)
    network = network_of(tmp_path)
    assert network is not None
    gauges.set_needed(None, tmp_path)
    assert gauges.needed == 12 * network.parameters < CHECKPOINT_BYTES / 100


@piloted
async def test_copy_takes_the_command_that_matters(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with showing(project, *story(100)) as board:
        await board.press("y")
        assert board.console.clipboard == f"voicetui attach {project}"
        # The line is longer than the terminal is wide, so that it stands in a dialog.
        assert isinstance(board.console.screen, Message)
        await board.press("q")
        await board.tell(events.Stopped("request", 100))
        await board.press("y")
        assert board.console.clipboard == f"voicetui train {project}"


@piloted
async def test_nothing_is_written_while_nothing_changes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DashboardScreen, "clock", staticmethod(lambda: NOW))
    async with showing(project, *story(200), finished()) as board:
        board.screen._hardware.watch(False)
        await board.settle()
        painted: list[object] = []
        for widget in board.screen.query("*"):
            monkeypatch.setattr(widget, "refresh", lambda *regions, **_: painted.append(regions))
        for _ in range(3):
            board.screen.tick()
        assert painted == []
