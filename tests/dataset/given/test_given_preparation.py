"""Real preparations of spoken recordings whose text was given, without a model on the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import soundfile
from helpers_preparing import preparing
from helpers_recordings import piece, recordings_project

from engine import project as projects
from engine.dataset import clips
from engine.dataset.clips import Clip, Word
from engine.dataset.hearing.chunks import Chunk
from engine.dataset.hearing.transcripts import Heard, Segment
from engine.errors import DatasetError
from engine.events import Event, Note, SourcePrepared, Warned
from engine.project import Project

# What is said in the first seconds of the demo's journey, and when.
SAID = (
    (0.51, 3.78, "The night train to the mountains leaves from platform nine."),
    (4.26, 8.19, "Please keep your ticket ready, and mind the gap when you step on board."),
    (8.48, 11.01, "We bought two seats by the window and one in the middle."),
    (11.71, 15.2, "Is this bag yours, or does it belong to the lady in the green coat?"),
    (15.94, 17.44, "It was mine, of course."),
    (17.89, 21.22, "I had packed for every kind of weather and could hardly lift it."),
)
TEXT = " ".join(text for *_, text in SAID)


@dataclass
class Reader:
    """Hears what is said, but for some words; counts how often it is asked."""

    mishears: tuple[str, ...] = ()
    asked: int = 0
    pid: int | None = None

    def transcribe(
        self, audio: Path, chunks: Sequence[Chunk], language: str, *, careful: bool = False
    ) -> Iterator[tuple[int, Heard]]:
        self.asked += 1
        for index, chunk in enumerate(chunks):
            words = [
                w for w in self._words() if chunk.parts[0].start <= w.start < chunk.parts[-1].end
            ]
            yield (
                index,
                Heard((Segment(words[0].start, words[-1].end, tuple(words), -0.1, 0.0, 1.0),)),
            )

    def close(self) -> None:
        pass

    def _words(self) -> Iterator[Word]:
        for start, end, text in SAID:
            names = text.split()
            step = (end - start) / len(names)
            for number, name in enumerate(names):
                heard = "something" if name in self.mishears else name
                yield Word(f" {heard}", start + number * step, start + (number + 1) * step, 0.9)


def stamp(seconds: float) -> str:
    return f"00:00:{seconds:06.3f}".replace(".", ",")


def subtitles(shift: float = 0.15) -> str:
    cues = [
        f"{stamp(start + shift)} --> {stamp(end - shift)}\n<i>{text}</i>\n"
        for start, end, text in SAID
    ]
    return "\n".join(cues)


@pytest.fixture
def project(tmp_path: Path, tiny_base: Path) -> Project:
    return recordings_project(tmp_path / "anna", tiny_base)


def record(project: Project, name: str, seconds: float = 21.6, start: float = 0.0) -> Path:
    path = project.folder / "rec" / name
    path.parent.mkdir(exist_ok=True)
    samples = piece("journey", seconds, 16_000)[round(start * 16_000) :]
    soundfile.write(path, samples, 16_000)
    return path


def no_fetch(name: str, repository: str) -> Path:
    raise AssertionError(f"{name} from {repository} must not be fetched")


def run(project: Project, reader: Reader | None = None) -> list[Event]:
    """Prepare a project; without a reader nobody can hear, and no model can be had."""
    told: list[Event] = []
    preparing(project, told.append, no_fetch, reader)
    return told


def kept(project: Project) -> list[Clip]:
    return [clip for clip in clips.read(project.dataset_dir) if clip.text]


def text_of(project: Project) -> str:
    return " ".join(clip.text for clip in kept(project))


def said_between(start: float, end: float) -> str:
    return " ".join(text for begin, until, text in SAID if start < (begin + until) / 2 < end)


def warnings(told: list[Event]) -> list[Warned]:
    return [e for e in told if isinstance(e, Warned) and e.code.startswith("transcript")]


def notes(told: list[Event]) -> list[str]:
    return [e.text for e in told if isinstance(e, Note) and e.code.startswith("transcript")]


def test_subtitles_need_no_recogniser(project: Project) -> None:
    record(project, "Talk.wav")
    (project.folder / "rec" / "talk.en.SRT").write_text(subtitles())
    told = run(project)
    assert text_of(project) == TEXT
    listed = kept(project)
    assert all(clip.text == said_between(clip.start, clip.end) for clip in listed)
    assert {clip.state for clip in listed} <= {"kept", "dropped"}
    assert all(word.probability == 1.0 for clip in listed for word in clip.words)
    assert warnings(told) == []
    assert notes(told) == [
        f"rec/Talk.wav: its text is taken from {project.folder}/rec/talk.en.SRT."
    ]
    assert [e.cached for e in run(project) if isinstance(e, SourcePrepared)] == [True]


def test_a_changed_transcript_redoes_only_its_recording(project: Project) -> None:
    record(project, "one.wav", 8.3)
    record(project, "two.wav", 21.6, 8.3)
    short = project.folder / "rec" / "one.txt"
    short.write_text(" ".join(text for *_, text in SAID[:2]))
    moved = [(start - 8.3, end - 8.3, text) for start, end, text in SAID[2:]]
    cues = "\n".join(f"{stamp(a)} --> {stamp(b)}\n{text}\n" for a, b, text in moved)
    (project.folder / "rec" / "two.vtt").write_text(f"WEBVTT\n\n{cues}")
    run(project)
    assert text_of(project) == TEXT
    short.write_text(short.read_text().replace("night", "day"))
    again = {e.source: e.cached for e in run(project) if isinstance(e, SourcePrepared)}
    assert again == {"rec/one.wav": False, "rec/two.wav": True}
    assert "The day train" in text_of(project)
    short.unlink()
    with pytest.raises(AssertionError, match=r"large-v3 .* must not be fetched"):
        run(replace(project, overrides={"dataset.asr_model": "large-v3"}))


def test_a_table_gives_each_recording_its_text(project: Project) -> None:
    for number, (start, end, _) in enumerate(SAID[:3]):
        record(project, f"wavs/LJ-{number}.wav", end + 0.15, start - 0.15)
    rows = [f"LJ-{number}|{text.lower()}|{text}" for number, (*_, text) in enumerate(SAID[:4])]
    (project.folder / "rec" / "metadata.csv").write_text("\n".join(rows))
    told = run(project)
    assert sorted(clip.text for clip in kept(project)) == sorted(text for *_, text in SAID[:3])
    assert any("1 of 4 rows name no recording" in text for text in notes(told))


def test_a_long_text_gets_its_times_from_the_recogniser(project: Project) -> None:
    record(project, "talk.wav")
    (project.folder / "rec" / "talk.txt").write_text("\n\n".join(text for *_, text in SAID))
    reader = Reader(mishears=("train", "gap", "weather"))
    told = run(project, reader)
    assert reader.asked == 1
    assert text_of(project) == TEXT
    assert all(clip.text == said_between(clip.start, clip.end) for clip in kept(project))
    assert warnings(told) == []


def test_a_stretch_that_was_heard_otherwise_is_suspect(project: Project) -> None:
    record(project, "talk.wav")
    lines = [text for *_, text in SAID]
    lines[3:5] = ["Purple elephants seldom balance invoices while juggling turnips near the sea."]
    (project.folder / "rec" / "talk.txt").write_text("\n".join(lines))
    told = run(project, Reader())
    (warning,) = warnings(told)
    assert warning.code == "transcript_unsure"
    assert "talk.txt" in warning.seen
    assert "(line 4)" in warning.seen
    doubtful = [clip for clip in kept(project) if clip.state == "suspect"]
    assert doubtful
    assert all(clip.reason == "given_text" for clip in doubtful)
    assert all(clip.agreement is not None and clip.agreement < 0.8 for clip in doubtful)
    assert any("belong to the" in (clip.text_second or "") for clip in doubtful)
    assert kept(project)[0].state == "kept"


def test_a_transcript_that_cannot_be_used_gives_way_to_the_recogniser(project: Project) -> None:
    path = record(project, "talk.wav", 8.3)
    path.with_suffix(".srt").write_bytes(subtitles().replace("The", "Thé").encode("cp1252"))
    reader = Reader()
    told = run(project, reader)
    (warning,) = warnings(told)
    assert "talk.srt, line 2, is not UTF-8" in warning.seen
    assert warning.means == "rec/talk.wav is transcribed by speech recognition instead."
    assert "iconv" in warning.remedy
    assert reader.asked >= 1
    assert "night train" in text_of(project)


def test_what_is_left_out_of_a_transcript_is_told(project: Project) -> None:
    path = record(project, "talk.wav")
    bad = (
        "\n00:00:05,000 --> 00:00:04,000\nbackwards\n"
        "\n00:00:21,450 --> 00:00:21,500\nin the silence\n"
        "\n00:10:00,000 --> 00:10:01,000\nlater\n"
        "\n00:00:00,000 --> 00:00:00,400\n[door opens]\n"
    )
    cues = subtitles().split("\n\n")
    path.with_suffix(".srt").write_text("\n\n".join(cues[:2] + cues[4:]) + bad)
    told = run(project)
    codes = {warning.code for warning in warnings(told)}
    assert codes == {"transcript_no_length", "transcript_silent", "transcript_beyond"}
    (note,) = notes(told)
    assert note.endswith("Descriptions of sounds left out: 1.")
    assert text_of(project) == " ".join(text for *_, text in SAID[:2] + SAID[4:])
    lost = [clip for clip in clips.read(project.dataset_dir) if clip.reason == "no_words"]
    assert sum(clip.seconds for clip in lost) > 5.0
    assert all(clip.start > 8.0 and clip.end < 15.9 for clip in lost)


def test_transcripts_are_left_aside_on_demand(project: Project) -> None:
    path = record(project, "talk.wav", 8.3)
    path.with_suffix(".srt").write_text(subtitles().replace("night", "day"))
    reader = Reader()
    run(replace(project, overrides={"dataset.transcripts": "ignore"}), reader)
    assert reader.asked >= 1
    assert "night train" in text_of(project)


def test_a_transcript_among_the_sources_is_no_recording(project: Project) -> None:
    path = record(project, "talk.wav", 8.3)
    text = path.with_suffix(".txt")
    text.write_text(" ".join(text for *_, text in SAID[:2]))
    named = projects.create(
        project.folder.parent / "other",
        name="Anna",
        language="en",
        sources=[path, text],
        base=str(project.base),
        values={"dataset.min_minutes": 0.0},
    )
    told = run(named)
    assert [type(e).__name__ for e in told if "Failed" in type(e).__name__] == []
    assert "night train" in text_of(named)


def test_a_recording_of_silence_needs_no_text(project: Project) -> None:
    path = project.folder / "rec" / "still.wav"
    soundfile.write(path, piece("journey", 3.0, 16_000) * 0.0, 16_000)
    path.with_suffix(".txt").write_text("Nobody says this.")
    with pytest.raises(DatasetError, match="Nobody speaks"):
        run(project)
