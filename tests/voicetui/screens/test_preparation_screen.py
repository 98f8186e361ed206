"""The preparation: what a log shows, how one is begun and stopped, and what is said at its end."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from helpers_clips import clips_project, made_clips, write_clips
from helpers_console import make_console
from helpers_jobs import HOSTILE
from test_review_screen import Person

from engine import lock
from engine import project as projects
from engine.dataset.hearing import asr_models
from engine.errors import StopRequested
from engine.eventlog import Record
from engine.events import (
    AsrModel,
    ClipDropped,
    DatasetWritten,
    Event,
    Failed,
    Finished,
    Progress,
    SourceFailed,
    SourcePrepared,
    Stage,
    Started,
    Stopped,
    Warned,
)
from engine.jobs import Job, new_folder
from engine.project import Project
from engine.session import Session
from voicetui import preparing

Story = Callable[[Person], Awaitable[None]]
TOTALS = {
    "kept_clips": 41,
    "kept_seconds": 190.0,
    "dropped_clips": 3,
    "dropped_seconds": 8.0,
    "non_speech_seconds": 102.0,
    "eval_clips": 6,
    "input_seconds": 300.0,
    "findings": [
        {"name": name, "level": level, "seen": seen, "advice": f"Do something about {name}."}
        for name, level, seen in (
            ("minutes", "concern", "3.2 min [b]of[/b] speech"),
            ("hum", "watch", "one recording hums"),
            ("letters", "watch", "never: z"),
            ("sounds", "watch", "not: th"),
        )
    ],
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "talks").mkdir()
    return projects.create(
        tmp_path / "voice", name="Voice", language="en", sources=[tmp_path / "talks"]
    )


def tell(folder: Path, story: Story, size: tuple[int, int] = (80, 24)) -> None:
    async def told() -> None:
        app = make_console(lambda console: console.open_dataset(folder))
        async with app.run_test(size=size) as pilot:
            person = Person(app, pilot, folder)
            await person.until(lambda: person.screen.tab)
            await story(person)

    asyncio.run(told())


def logged(project: Project, *events: Event) -> Job:
    """A preparation whose log holds these events; it lives as long as this process."""
    job = Job(new_folder(project.jobs_dir, "prepare"), "prepare")
    job.emit(Started("prepare", os.getpid(), "1"))
    for event in events:
        job.emit(event)
    return job


WORK = (
    Stage("find", 3, "recordings"),
    Stage("recordings", 3, "recordings"),
    AsrModel("small", "/models/small", "cpu", "int8", "the best one here"),
    SourcePrepared("one.wav", 120.0, 100.0, 20, 3, cached=True),
    ClipDropped("x-1", "one.wav", 0.0, 1.0, "too_short"),
    ClipDropped("x-2", "one.wav", 2.0, 3.0, "too_short"),
    ClipDropped("x-3", "one.wav", 4.0, 5.0, "noise"),
    SourceFailed("broken.mp3", "broken.mp3 cannot be decoded: it is cut off. Copy it again."),
    Warned(
        "unknown_characters", "The vocabulary does not know: ё", "dropped", "Take another base."
    ),
    Progress("recordings", 2, 3, "recordings", "two.wav"),
    Progress("transcribe", 30.0, 60.0, "s", "two.wav"),
)


def test_before_the_first_preparation_it_says_what_will_be_done(project: Project) -> None:
    async def story(person: Person) -> None:
        await person.reads("There are no clips yet.", "Press p to prepare them.", "p  prepare")
        assert person.screen.tab == "prepare"

    tell(project.folder, story)


def test_a_running_preparation_is_shown_as_it_goes(project: Project) -> None:
    job = logged(project, *WORK)

    async def story(person: Person) -> None:
        assert person.screen.tab == "prepare"
        await person.reads("▶ Preparing", "recogniser small on cpu", "2 of 3 recordings")
        await person.reads("writing down what is said", "50%", "two.wav")
        await person.reads("1 recording, 1 as before (=), 1 not usable, 20 clips kept, 3 dropped")
        await person.reads(
            "2 too short · 1 noise", "⚠ The vocabulary does not know: ё Take another"
        )
        await person.reads("✓ one.wav", "✗ broken.mp3", "▶ two.wav")
        job.emit(Progress("transcribe", 45.0, 60.0, "s", "two.wav"))
        await person.reads("75%")
        job.emit(SourcePrepared("two.wav", 60.0, 50.0, 21, 0, cached=False))
        job.emit(DatasetWritten(TOTALS))
        job.emit(Finished({"train_clips": 35}))
        await person.reads("✓ Prepared", "3 min 10 s are in use, 8 s dropped", "Next: press 1")
        await person.reads("What to fix first   4 shows 1 more", "1 minutes", "→ Do something")
        await person.reads("3.2 min [b]of[/b] speech", "2 hum", "3 letters")
        job.close()

    tell(project.folder, story)


def test_why_a_recording_is_not_used_stands_below_the_list(project: Project) -> None:
    logged(project, *WORK, Stopped("request")).close()

    async def story(person: Person) -> None:
        await person.press("g", "j")
        await person.reads("broken.mp3: cannot be decoded: it is cut off. Copy it again.")

    tell(project.folder, story)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (Stopped("request"), "‖ Stopped"),
        (
            Failed("SourceError", "No recording of it can be used."),
            "No recording of it can be used.",
        ),
    ],
)
def test_an_ended_preparation_says_how(project: Project, end: Event, words: str) -> None:
    logged(project, *WORK, end).close()

    async def story(person: Person) -> None:
        await person.reads(words, "p  prepare")
        await person.press("x")
        await person.reads("No preparation runs.")

    tell(project.folder, story)


def test_one_that_was_killed_is_known_as_such(project: Project) -> None:
    job = Job(new_folder(project.jobs_dir, "prepare"), "prepare")
    job.emit(Started("prepare", 2**22 + 1, "1"))
    job.emit(Stage("recordings", 3, "recordings"))
    job.close()

    async def story(person: Person) -> None:
        await person.reads("✗ Ended without a word", "p goes on where it stopped")

    tell(project.folder, story)


def test_hostile_names_are_shown_literally(project: Project) -> None:
    logged(
        project,
        Stage(HOSTILE, 3, HOSTILE),
        Progress(HOSTILE, 1, 3, HOSTILE, HOSTILE),
        SourceFailed(HOSTILE, HOSTILE),
        ClipDropped(HOSTILE, HOSTILE, 0.0, 1.0, HOSTILE),
        Warned(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        Failed("x", HOSTILE),
    ).close()

    async def story(person: Person) -> None:
        await person.reads("✗ Failed", "[bold]x[/]")
        assert not set(person.text) & {"\x1b", "\x07", "\u202e", "\x9b"}

    tell(project.folder, story)


# --- beginning and stopping -----------------------------------------------------------------------


def slow_session(project: Project, *, may_fetch: bool) -> Session:
    """A session that holds the project's lock, and works until it is stopped."""
    with ExitStack() as held:
        held.enter_context(lock.hold(project.folder, "prepare"))
        job = Job(new_folder(project.jobs_dir, "prepare"), "prepare")

        def work(job: Job) -> Finished:
            job.emit(Stage("recordings", 2, "recordings" if may_fetch else "files"))
            while job.control.stop_reason is None:
                threading.Event().wait(0.01)
            raise StopRequested(job.control.stop_reason)

        return Session(job, work, held.pop_all())
    raise AssertionError


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "session", slow_session)


@pytest.mark.usefixtures("slow")
def test_it_is_begun_left_and_stopped(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "missing_model", lambda _: "")

    async def story(person: Person) -> None:
        await person.press("p")
        await person.reads("▶ Preparing", "0 of 2 files", "x  stop")
        # A screen that is left ends nothing, and its return shows the same.
        person.app.open_dataset(project.folder)
        await person.reads("▶ Preparing", "0 of 2 files")
        await person.press("q")
        await person.press("x")
        await person.reads("Stop the preparation?")
        await person.press("x")
        await person.reads("‖ Stopped", "p  prepare")
        assert person.app.host.live == []

    tell(project.folder, story)


@pytest.mark.usefixtures("slow")
def test_a_missing_recogniser_is_fetched_only_when_asked(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "missing_model", lambda _: "small.en")

    async def story(person: Person) -> None:
        await person.press("p")
        await person.reads("Fetch a speech recognition model?", "small.en (about 486 MB)")
        await person.press("q")
        assert not project.jobs_dir.exists()
        await person.press("p")
        await person.reads("Fetch a speech recognition model?")
        await person.press("y")
        await person.reads("0 of 2 recordings")
        person.app.host.stop_all("request")
        await person.reads("‖ Stopped")

    tell(project.folder, story)


def test_what_else_works_on_the_project_refuses_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "missing_model", lambda _: "")

    async def story(person: Person) -> None:
        with lock.hold(project.folder, "train"):
            await person.press("p")
            await person.reads("That did not start")

    tell(project.folder, story)


def test_preparing_again_asks_first(tmp_path: Path) -> None:
    project = clips_project(tmp_path / "voice", 3, wavs=False)
    logged(project, DatasetWritten(TOTALS), Finished({})).close()

    async def story(person: Person) -> None:
        await person.until(lambda: person.screen.tab == "review")
        await person.press("2")
        await person.reads("✓ Prepared")
        await person.press("p")
        await person.reads("Prepare again?", "and your edits")

    tell(project.folder, story)


def test_a_finished_preparation_brings_its_clips_into_the_review(project: Project) -> None:
    job = logged(project, *WORK)

    async def story(person: Person) -> None:
        await person.reads("▶ Preparing")
        write_clips(project, made_clips(5), wavs=False)
        job.emit(DatasetWritten(TOTALS))
        job.emit(Finished({}))
        await person.until(lambda: person.pane.review)
        await person.press("1")
        await person.reads("5 clips")
        job.close()

    tell(project.folder, story)


# --- what events add up to ------------------------------------------------------------------------


def test_the_model_to_fetch_is_known_before(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr_models, "gpu_bytes", lambda: 0)
    wanted = project.with_values({"dataset.asr_model": "medium"})
    assert preparing.missing_model(wanted) == "medium"
    assert preparing.model_bytes("large-v3-turbo") == preparing.model_bytes("turbo") > 1e9
    assert preparing.model_bytes("mine") == 0


def test_the_time_left_follows_the_pace_of_what_is_new() -> None:
    made = preparing.Preparation()
    told = [
        (0.0, Started("prepare", 1, "1")),
        (0.0, Stage("recordings", 10, "recordings")),
        (0.1, SourcePrepared("a", 60.0, 50.0, 5, 0, cached=True)),
        (0.2, Progress("recordings", 1, 10, "recordings", "b")),
        (50.2, SourcePrepared("b", 60.0, 50.0, 5, 0, cached=False)),
        (50.2, Progress("recordings", 2, 10, "recordings", "c")),
    ]
    made.take(Record(number, at, event) for number, (at, event) in enumerate(told, 1))
    assert made.eta(0.5) is None
    assert made.eta(50.2) == pytest.approx(400.0, rel=0.01)
    made.take([Record(3, 60.0, SourceFailed("late", "taken before"))])
    assert "late" not in made.files
