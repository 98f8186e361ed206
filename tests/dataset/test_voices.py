"""Real preparations of recordings in which two voices speak; their text is given."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_preparing import preparing
from helpers_recordings import piece, recordings_project

from engine import project as projects
from engine.audio import ge2e
from engine.audio.resample import resample
from engine.dataset import clips
from engine.dataset.clips import Clip, Reason
from engine.dataset.review.review import Review
from engine.events import Event, Note, Stage, Warned
from engine.project import Project

RATE = 16_000
# When the first sentences of the demo's journey are spoken.
SENTENCES = (
    (0.51, 3.78),
    (4.26, 8.19),
    (8.48, 11.01),
    (11.71, 15.2),
    (15.94, 17.44),
    (17.89, 21.22),
)
HOST, GUEST = "host", "guest"


def voice(sentence: int, who: str) -> np.ndarray:
    """A sentence; the guest has a head that is 1.4 times as large, and takes that much longer."""
    start, end = SENTENCES[sentence]
    spoken = piece("journey", end, RATE)[round(start * RATE) :]
    return resample(spoken, 16_000, 22_400) if who == GUEST else spoken


def record(project: Project, name: str, parts: Sequence[tuple[int, str]]) -> None:
    """A recording and its subtitles; the text tells who speaks."""
    silence = np.zeros(round(0.7 * RATE), np.float32)
    samples, cues = [silence], []
    now = 0.7
    for sentence, who in parts:
        spoken = voice(sentence, who)
        until = now + len(spoken) / RATE
        cues.append(f"{_stamp(now + 0.1)} --> {_stamp(until - 0.1)}\nThe {who} speaks to us all.\n")
        samples += [spoken, silence]
        now = until + 0.7
    folder = project.folder / "rec"
    soundfile.write(folder / f"{name}.wav", np.concatenate(samples), RATE)
    (folder / f"{name}.srt").write_text("\n".join(cues))


def _stamp(seconds: float) -> str:
    return f"00:00:{seconds:06.3f}".replace(".", ",")


def run(project: Project) -> list[Event]:
    told: list[Event] = []
    preparing(project, told.append)
    return told


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Project:
    """A talk in which a guest says two of seven sentences."""
    project = recordings_project(tmp_path_factory.mktemp("voices") / "anna", tiny_base)
    talk = [(n, GUEST if n in (2, 4) else HOST) for n in range(6)]
    record(project, "talk", [*talk, (3, HOST)])
    run(project)
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    """The prepared project at a place of its own."""
    shutil.copytree(prepared.folder, tmp_path / "anna")
    return replace(projects.load(tmp_path / "anna"), base=prepared.base)


def used(project: Project) -> list[Clip]:
    return [clip for clip in clips.read(project.dataset_dir) if clip.wav]


def by(listed: list[Clip], who: str) -> list[Clip]:
    return [clip for clip in listed if who in clip.text]


def warned(told: list[Event]) -> list[Warned]:
    return [event for event in told if isinstance(event, Warned) and event.code == "second_voice"]


def records(project: Project) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in (project.cache_dir / "voices").glob("*.npz")}


def test_clips_of_a_guest_are_suspect_and_stay_in_use(prepared: Project) -> None:
    listed = used(prepared)
    host, guest = by(listed, HOST), by(listed, GUEST)
    assert (len(host), len(guest)) == (5, 2)
    assert {clip.reason for clip in guest} == {Reason.OTHER_SPEAKER}
    assert not [clip for clip in host if clip.reason == Reason.OTHER_SPEAKER]
    assert max(clip.scores["speaker"] for clip in host) < min(c.scores["speaker"] for c in guest)
    with_split = [clip for clip in guest if clip.state == "suspect"]
    assert all(clip.split for clip in with_split)
    assert with_split


def test_what_a_person_accepts_stays_accepted_and_old_recordings_cost_nothing(
    project: Project,
) -> None:
    suspects = [clip.id for clip in used(project) if clip.state == "suspect"]
    review = Review.open(project)
    order = review.rows("suspect", sort="speaker", descending=True)
    assert [review.clips[place].id for place in order[:1]] == [
        max(by(used(project), GUEST), key=lambda clip: clip.scores["speaker"]).id
    ]
    assert review.accept(suspects[:1]).ids == tuple(suspects[:1])
    review.close()
    before = records(project)
    record(project, "more", [(0, HOST), (1, HOST)])
    run(project)
    states = {clip.id: clip.state for clip in used(project)}
    assert states[suspects[0]] == "kept"
    assert all(states[identifier] == "suspect" for identifier in suspects[1:])
    after = records(project)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1
    (project.folder / "rec" / "more.wav").unlink()
    run(project)
    assert records(project) == before


def test_a_run_with_nothing_new_needs_no_torch(project: Project) -> None:
    code = (
        "import sys; from pathlib import Path; from engine import project;"
        "from engine.dataset import prepare; from engine.jobs import Job;"
        "folder = Path(sys.argv[1]);"
        "prepare.prepare(project.load(folder), Job(folder / 'jobs' / 'again', 'prepare'));"
        "assert 'torch' not in sys.modules"
    )
    before = records(project), (project.dataset_dir / clips.FILE_NAME).read_bytes()
    subprocess.run([sys.executable, "-c", code, str(project.folder)], check=True)
    assert (records(project), (project.dataset_dir / clips.FILE_NAME).read_bytes()) == before


def test_two_voices_of_like_share_are_told(project: Project) -> None:
    assert not warned(run(project))
    record(project, "interview", [(0, GUEST), (1, GUEST)])
    (told,) = warned(run(project))
    host, guest = (sum(c.seconds for c in by(used(project), who)) for who in (HOST, GUEST))
    assert told.seen == f"Two voices speak about as much: {host:.0f} s and {guest:.0f} s."
    assert "make a project for each" in told.remedy


def test_a_damaged_cache_is_made_again(project: Project) -> None:
    (path,) = (project.cache_dir / "voices").glob("*.npz")
    whole = path.read_bytes()
    table = (project.dataset_dir / clips.FILE_NAME).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    run(project)
    assert path.stat().st_size == len(whole)
    assert (project.dataset_dir / clips.FILE_NAME).read_bytes() == table


def test_other_voices_can_be_ignored(project: Project) -> None:
    told = run(replace(project, overrides={"dataset.other_voices": "ignore"}))
    assert not [event for event in told if isinstance(event, Stage) and event.name == "voices"]
    assert all("speaker" not in clip.scores for clip in used(project))
    assert not [clip for clip in used(project) if clip.reason == Reason.OTHER_SPEAKER]


def test_without_an_encoder_it_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ge2e, "packaged", lambda: None)
    told = run(project)
    (note,) = [e for e in told if isinstance(e, Note) and e.code == "no_voice_encoder"]
    assert "other speakers are not looked for" in note.text
    assert all("speaker" not in clip.scores for clip in used(project))
