"""Speaking as a job: in this process, and beside a run in a process of its own."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from helpers_project import error_of, finish, made_project

from engine import child, lock
from engine.errors import FailedError, InputError, RefusedError, StopRequested
from engine.eventlog import decode, read_all, unseal
from engine.events import Event, Failed, Finished, Progress, Spoke, Stage
from engine.jobs import LOG_NAME
from engine.project import Project
from engine.session import Session
from engine.status import read_state
from engine.xtts import speak, speak_process

TEXT = "Hello. How are you?"


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path
) -> Project:
    from engine.xtts import train

    project = made_project(tmp_path_factory.mktemp("trained") / "voice", tiny_base, epochs=1)
    outcome = finish(train.session(project))
    assert outcome.state == "finished", outcome.error
    return project


def told(session: Session) -> list[Event]:
    return [record.event for record in read_all(session.job.folder / LOG_NAME)]


def jobs(project: Project) -> list[str]:
    return sorted(path.name for path in project.jobs_dir.glob("*"))


def test_a_sentence_is_spoken_beside_the_checkpoint_it_came_from(trained: Project) -> None:
    # A training that lives holds the project; speaking must not need it.
    with lock.hold(trained.folder, "train"):
        session = speak.session(trained, TEXT, "last")
        outcome = finish(session)
    assert outcome.state == "finished", outcome.error
    number = int(session.job.folder.name.removesuffix("-speak"))
    wav = trained.runs_dir / "0001" / "samples" / f"step-000003-{number}.wav"
    events = told(session)
    (spoke,) = [event for event in events if isinstance(event, Spoke)]
    assert (spoke.path, spoke.text, spoke.step) == (str(wav), TEXT, 3)
    assert spoke.seconds == pytest.approx(soundfile.info(wav).duration, abs=0.01)
    assert [event.name for event in events if isinstance(event, Stage)] == ["loading", "speaking"]
    assert isinstance(events[-1], Finished)
    assert read_state(session.job.folder).job == "speak"


def test_the_other_process_answers_with_its_events_and_what_it_spoke(
    trained: Project, tmp_path: Path
) -> None:
    # Its work, here: a process of its own takes 10 s to import what it needs.
    out = tmp_path / "hello.wav"
    answers = io.BytesIO()
    request = {"text": TEXT, "out": str(out), "which": "3", "earlier": "", "seed": 2}
    child.respond(speak_process._speak, {**request, "folder": str(trained.folder)}, answers)
    *lines, last = answers.getvalue().splitlines()
    events = [record.event for line in lines if (record := decode(line))]
    assert len(events) == len(lines)
    assert [event.name for event in events if isinstance(event, Stage)] == ["loading", "speaking"]
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == [*range(1, len(done) + 1)]
    answer = unseal(last)
    assert answer is not None
    assert decode(last) is None
    assert answer["spoken"] == [pytest.approx(soundfile.info(out).duration), 3]


@pytest.mark.parametrize(
    ("text", "which", "out", "message"),
    [
        (" \n", "best", None, "nothing to say"),
        (TEXT, "77", None, "no whole checkpoint 77"),
        (TEXT, "best", Path("nowhere/x.wav"), "folder that exists"),
        (TEXT, "best", Path("x.mp3"), "name a .wav file"),
    ],
)
def test_what_cannot_be_spoken_makes_no_job(
    text: str, which: str, out: Path | None, message: str, trained: Project
) -> None:
    before = jobs(trained)
    with pytest.raises((InputError, RefusedError), match=message):
        speak.session(trained, text, which, out)
    assert jobs(trained) == before


def test_a_language_that_the_base_lacks_makes_no_job(trained: Project) -> None:
    before = jobs(trained)
    with pytest.raises(InputError, match="does not know xx yet"):
        speak.session(replace(trained, language="xx"), TEXT)
    assert jobs(trained) == before


def test_what_fails_in_the_other_process_fails_here(trained: Project, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    session = speak.session(trained, TEXT, "last", tmp_path / "gone" / "x.wav", on_cpu=True)
    (trained.folder / "project.toml").rename(trained.folder / "moved.toml")
    try:
        outcome = finish(session)
    finally:
        (trained.folder / "moved.toml").rename(trained.folder / "project.toml")
    assert type(outcome.error) is InputError
    assert "not a voice project" in error_of(outcome)
    assert isinstance(told(session)[-1], Failed)


def test_a_process_that_dies_says_why(
    trained: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    outcome = finish(speak.session(trained, TEXT, "last", tmp_path / "x.wav", on_cpu=True))
    assert isinstance(outcome.error, FailedError)
    assert "out of memory" in error_of(outcome)


def test_a_stop_ends_the_other_process_at_once(trained: Project, tmp_path: Path) -> None:
    def stopped() -> None:
        raise StopRequested("request")

    with pytest.raises(StopRequested):
        speak_process.say(
            trained,
            TEXT,
            tmp_path / "x.wav",
            which="last",
            seed=0,
            check=stopped,
            emit=lambda event: None,
        )
    assert not (tmp_path / "x.wav").exists()
