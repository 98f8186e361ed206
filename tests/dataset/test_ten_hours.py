"""Ten hours in one file: long silences, somebody speaks now and then, and subtitles lie beside it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from helpers_recordings import SPEECH, piece
from helpers_tmux import VOICETUI

from engine import eventlog, jobs
from engine import project as projects
from engine.dataset import accounting, clips
from engine.dataset.clips import Reason
from engine.events import AsrModel, Finished

RATE = 16_000
HOURS = 10
EVERY = 1200.0
AT = 600.0
# When the first sentences of the recording are spoken.
TIMES = ((0.4, 4.2), (4.4, 8.7), (8.9, 13.0), (13.5, 17.8), (17.9, 20.5), (21.0, 24.4))
MOST_BYTES = 1.5e9
MOST_SECONDS = 900.0


def starts() -> list[float]:
    """Where the speech begins, in seconds."""
    return [AT + EVERY * number for number in range(round(HOURS * 3600 / EVERY))]


def make_recording(path: Path) -> None:
    stretch = np.zeros(round(EVERY * RATE), np.float32)
    # A room is never quite silent.
    stretch[: 60 * RATE] = np.random.default_rng(1).normal(0, 1e-4, 60 * RATE)
    speech = piece("market", TIMES[-1][1] + 0.3, RATE)
    stretch[round(AT * RATE) :][: len(speech)] = speech
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in starts():
            file.write(stretch)


def make_subtitles(path: Path, sentences: list[str]) -> None:
    cues = [
        f"{stamp(start + begin)} --> {stamp(start + end)}\n{text}\n"
        for start in starts()
        for (begin, end), text in zip(TIMES, sentences, strict=True)
    ]
    path.write_text("\n".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1)))


def stamp(seconds: float) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{rest:03d}"


def most_memory(process: subprocess.Popen[bytes]) -> int:
    """The most that a process and its children held at once, in bytes, until it ended."""
    most = 0
    family = psutil.Process(process.pid)
    while process.poll() is None:
        held = 0
        for each in (family, *family.children(recursive=True)):
            try:
                held += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        most = max(most, held)
        time.sleep(0.05)
    return most


@pytest.mark.long
def test_ten_hours_take_minutes_and_little_memory(tiny_base: Path, tmp_path: Path) -> None:
    (tmp_path / "anna" / "rec").mkdir(parents=True)
    recording = tmp_path / "anna" / "rec" / "tape.flac"
    sentences = (SPEECH / "market.txt").read_text().splitlines()[: len(TIMES)]
    make_recording(recording)
    make_subtitles(recording.with_suffix(".srt"), sentences)
    project = projects.create(
        tmp_path / "anna",
        name="Anna",
        language="en",
        sources=[tmp_path / "anna" / "rec"],
        base=str(tiny_base),
        values={"dataset.asr_device": "cpu"},
    )
    begun = time.monotonic()
    process = subprocess.Popen(
        [VOICETUI, "prepare", str(project.folder), "--plain"],
        stdout=subprocess.DEVNULL,
    )
    most = most_memory(process)
    took = time.monotonic() - begun
    print(f"{took:.0f} s, {most / 1e6:.0f} MB")
    log = eventlog.read_all(jobs.job_folders(project.jobs_dir)[-1] / jobs.LOG_NAME)
    assert isinstance(log[-1].event, Finished), log[-1]
    assert took < MOST_SECONDS
    assert most < MOST_BYTES
    assert not [record for record in log if isinstance(record.event, AsrModel)], "the text is given"
    (books,) = accounting.read(project.dataset_dir)
    assert books.seconds == HOURS * 3600
    assert books.kept_seconds + books.dropped_seconds + books.non_speech_seconds == pytest.approx(
        books.seconds, abs=1e-6
    )
    used = [
        clip
        for clip in clips.read(project.dataset_dir)
        if clip.state != "dropped" or clip.reason == Reason.BETWEEN_SPLITS
    ]
    spoken = " ".join(sentences).split()
    assert " ".join(clip.text for clip in used).split() == spoken * len(starts())
    for clip in used:
        assert any(start <= clip.start < clip.end <= start + 25.0 for start in starts())
    whole = sum(end - begin for begin, end in TIMES) * len(starts())
    assert sum(clip.seconds for clip in used) > 0.9 * whole
