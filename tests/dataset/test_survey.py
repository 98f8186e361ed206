from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_audio import encode, tone

from engine.dataset.survey import Survey, Totals
from engine.errors import StopRequested


def never() -> None:
    pass


def last(survey: Survey, *sources: Path, folder: Path = Path("/nowhere")) -> Totals:
    return [*survey.count(sources, folder, never)][-1]


def made(path: Path, seconds: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(seconds, 8000), 8000)
    return path


def test_the_totals_grow_to_what_there_is(tmp_path: Path) -> None:
    made(tmp_path / "a.wav", 2.0)
    made(tmp_path / "deep" / "er" / "b.flac", 3.0)
    encode(tmp_path / "c.mp3", tone(4.0, 44_100), 44_100, "libmp3lame")
    (tmp_path / "notes.txt").write_text("no recording")
    seen = [*Survey().count([tmp_path], Path("/nowhere"), never)]
    assert [totals.measured for totals in seen] == [1, 2, 3, 3]
    assert [totals.done for totals in seen] == [False, False, False, True]
    assert seen[-1].formats == {"wav": 1, "flac": 1, "mp3": 1}
    assert seen[-1].seconds == pytest.approx(9.0, abs=0.2)
    assert seen[-1].size == sum(
        (tmp_path / name).stat().st_size for name in ("a.wav", "deep/er/b.flac", "c.mp3")
    )


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    made(tmp_path / "fine.wav")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("not a sound")
    (tmp_path / "leads nowhere.wav").symlink_to(tmp_path / "gone")
    (tmp_path / "itself.wav").symlink_to(tmp_path / "itself.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    totals = last(Survey(), tmp_path, tmp_path / "not there")
    told = {problem.path.name: problem.message for problem in totals.problems}
    assert set(told) == {
        "empty.wav",
        "text.wav",
        "leads nowhere.wav",
        "itself.wav",
        "pipe.wav",
        "not there",
    }
    assert "is empty" in told["empty.wav"]
    assert "not a regular file" in told["pipe.wav"]
    assert totals.seconds == 1.0


def test_a_length_that_the_header_does_not_tell_is_counted_as_unknown(tmp_path: Path) -> None:
    encode(tmp_path / "stream.aac", tone(1.0, 44_100), 44_100, "aac")
    totals = last(Survey(), tmp_path)
    assert (totals.files, totals.unknown, totals.seconds) == (1, 1, 0.0)


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    path = made(tmp_path / "a.wav", 1.0)
    survey = Survey()
    assert last(survey, path).seconds == 1.0
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert last(survey, path).seconds == 1.0, "the same size and time: remembered"
    soundfile.write(path, np.zeros(16_000, np.float32), 8000)
    assert last(survey, path).seconds == 2.0


def test_a_count_can_be_stopped_at_each_file(tmp_path: Path) -> None:
    for number in range(3):
        made(tmp_path / f"{number}.wav")
    looked = 0

    def check() -> None:
        nonlocal looked
        looked += 1
        if looked == 5:
            raise StopRequested("request")

    with pytest.raises(StopRequested):
        list(Survey().count([tmp_path], Path("/nowhere"), check))


def test_what_the_project_made_is_not_counted(tmp_path: Path) -> None:
    made(tmp_path / "voice" / "dataset" / "wavs" / "clip.wav")
    made(tmp_path / "voice" / "recordings" / "a.wav")
    totals = last(Survey(), tmp_path / "voice", folder=tmp_path / "voice")
    assert totals.files == 1


def test_names_that_are_not_text_are_counted(tmp_path: Path) -> None:
    made(tmp_path / "cafe.wav").rename(tmp_path / os.fsdecode(b"caf\xe9.wav"))
    assert last(Survey(), tmp_path).seconds == 1.0
