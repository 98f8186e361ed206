from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import pytest
import soundfile
from helpers_audio import encode, tone
from helpers_recordings import known_words, piece, recordings_project, word_errors, words

from engine import eventlog, jobs, lock
from engine import project as projects
from engine.dataset import accounting, clips, edits, prepare, split
from engine.dataset.clips import Clip
from engine.dataset.review.review import Review
from engine.errors import BaseModelError, BusyError, DatasetError, SourceError
from engine.events import (
    AsrModel,
    AudioStatistics,
    ClipDropped,
    DatasetWritten,
    Event,
    Finished,
    Memory,
    Note,
    Output,
    Progress,
    Retranscribed,
    Samples,
    Segmented,
    SourceFailed,
    SourcePrepared,
    SourcesFound,
    Stage,
    Warned,
)
from engine.project import Project
from engine.session import Outcome

E = TypeVar("E", bound=Event)
Watch = Callable[["prepare.Session", Event], None]


@dataclass(frozen=True)
class Done:
    outcome: Outcome
    events: list[Event]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def dataset_bytes(project: Project) -> dict[str, bytes]:
    """The wavs and tables of a dataset."""
    wavs = (project.dataset_dir / "wavs").glob("*.wav")
    return {path.name: path.read_bytes() for path in (*wavs, project.dataset_dir / clips.FILE_NAME)}


def run(project: Project, watch: Watch = lambda session, event: None) -> Done:
    """Prepare a project to its end; `watch` sees each event in the working thread."""
    session = prepare.session(project)
    session.job.subscribe(lambda record: watch(session, record.event))
    session.start()
    outcome = session.wait(120)
    assert outcome is not None
    log = eventlog.read_all(session.job.folder / jobs.LOG_NAME)
    return Done(outcome, [record.event for record in log])


def made(folder: Path, base: Path, **values: Any) -> Project:
    return recordings_project(folder, base, asr_device="cpu", **values)


def moved(done: tuple[Project, Done], folder: Path) -> Project:
    """The prepared project at another place."""
    shutil.copytree(done[0].folder, folder)
    return replace(projects.load(folder), base=done[0].base)


def put_recordings(folder: Path) -> None:
    """Two that are good, one of them twice; one broken, one silent."""
    soundfile.write(folder / "one.FLAC", piece("journey", 27.0, 16_000), 16_000)
    (folder / "sub").mkdir()
    stereo = np.repeat(piece("market", 21.0, 48_000)[:, None], 2, axis=1)
    soundfile.write(folder / "sub" / "two.wav", stereo, 48_000)
    shutil.copyfile(folder / "sub" / "two.wav", folder / "zwei.wav")
    soundfile.write(folder / "broken.wav", tone(2.0, 8_000), 8_000)
    os.truncate(folder / "broken.wav", 8_000)
    soundfile.write(folder / "silent.ogg", np.zeros(48_000, np.float32), 16_000)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> tuple[Project, Done]:
    """A prepared project, made once."""
    project = made(tmp_path_factory.mktemp("prepare") / "anna", tiny_base)
    put_recordings(project.folder / "rec")
    return project, run(project)


def content(project: Project) -> dict[str, tuple[int, bytes]]:
    """All files of the dataset but its lock, with their time of change."""
    return {
        str(path.relative_to(project.dataset_dir)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(project.dataset_dir.rglob("*"))
        if path.is_file() and path.name not in (lock.LOCK_NAME, lock.OWNER_NAME)
    }


def tables(project: Project) -> dict[str, bytes]:
    return {name: data for name, (_, data) in content(project).items()}


def derived(files: dict[str, tuple[int, bytes]]) -> dict[str, object]:
    """All but the journal of edits, and what is in the totals as the last preparation found it."""
    found: dict[str, object] = {
        name: data for name, (_, data) in files.items() if not name.startswith("edit")
    }
    totals = json.loads(files["summary.json"][1])
    del totals["coverage"], totals["findings"]
    return found | {"summary.json": totals}


def from_source(listed: list[Clip], name: str) -> list[Clip]:
    return [clip for clip in listed if Path(clip.source.path).name == name]


def test_it_tells_what_happened_to_each_recording(done: tuple[Project, Done]) -> None:
    _, result = done
    assert result.outcome.error is None
    (model,) = result.of(AsrModel)
    assert (model.name, model.device, model.compute) == ("tiny.en", "cpu", "int8")
    told = {event.source: event for event in result.of(SourcePrepared)}
    assert sorted(told) == ["rec/one.FLAC", "rec/silent.ogg", "rec/sub/two.wav"]
    assert told["rec/one.FLAC"].seconds == 27.0
    assert 20 < told["rec/one.FLAC"].speech_seconds < 27
    assert (told["rec/silent.ogg"].kept, told["rec/silent.ogg"].speech_seconds) == (0, 0)
    assert not any(event.cached for event in told.values())
    (failed,) = result.of(SourceFailed)
    assert failed.source == "rec/broken.wav"
    assert "is cut off" in failed.message
    (note,) = [event for event in result.of(Note) if event.code == "duplicate_source"]
    assert "rec/zwei.wav is the same recording as rec/sub/two.wav" in note.text
    assert {event.stage for event in result.of(Progress)} >= {
        "decode",
        "speech",
        "transcribe",
        "cut",
    }
    assert isinstance(result.events[-1], Finished)


# Each line of the guide's "Dataset Creation Debug Output" with the event that tells it.
GUIDE_LINES: dict[str, Callable[[Event], bool]] = {
    "Initializing output directory": lambda e: isinstance(e, Output) and "dataset" in e.folder,
    "Using device": lambda e: isinstance(e, AsrModel) and e.device == "cpu",
    "Loading Whisper model": lambda e: isinstance(e, AsrModel) and e.name == "tiny.en",
    "Using mixed precision": lambda e: isinstance(e, AsrModel) and e.compute == "int8",
    "GPU Memory Status": lambda e: isinstance(e, Memory) and e.rss > 0,
    "Found 1 audio files to process": lambda e: (
        isinstance(e, SourcesFound) and (e.files, e.used, e.duplicates) == (5, 4, 1)
    ),
    "Original audio duration": lambda e: isinstance(e, SourcePrepared) and e.seconds == 27.0,
    "Processing with VAD": lambda e: isinstance(e, Progress) and e.stage == "speech",
    "Merged segments, VAD processing": lambda e: (
        isinstance(e, Segmented) and e.spans >= e.pieces > 2 and e.seconds > 2.0
    ),
    "Total segments, average duration": lambda e: (
        isinstance(e, AudioStatistics) and e.clips > 5 and e.seconds > 2.0
    ),
    "Files with multiple transcriptions": lambda e: (
        isinstance(e, Note) and e.code == "duplicate_source"
    ),
    "Updated transcription": lambda e: isinstance(e, Retranscribed) and e.suspects > 0,
    "Creating train/eval split": lambda e: isinstance(e, Stage) and e.name == "dataset",
    "Writing training and eval samples": lambda e: isinstance(e, Samples) and e.train > e.eval > 0,
    "Very small training dataset": lambda e: isinstance(e, Warned) and e.code == "clips",
    "Very small evaluation dataset": lambda e: isinstance(e, Warned) and e.code == "held_out",
}


@pytest.mark.parametrize("line", GUIDE_LINES)
def test_each_line_of_the_guide_has_its_event(line: str, done: tuple[Project, Done]) -> None:
    assert any(GUIDE_LINES[line](event) for event in done[1].events), line


def test_every_second_of_the_recordings_is_accounted_for(done: tuple[Project, Done]) -> None:
    project, result = done
    listed = {Path(each.path).name: each for each in accounting.read(project.dataset_dir)}
    assert {name: each.state for name, each in listed.items()} == {
        "one.FLAC": "used",
        "two.wav": "used",
        "silent.ogg": "used",
        "zwei.wav": "duplicate",
        "broken.wav": "failed",
    }
    assert listed["zwei.wav"].same_as == listed["two.wav"].path
    assert listed["zwei.wav"].sha256 == listed["two.wav"].sha256
    assert "is cut off" in listed["broken.wav"].message
    clips_of = clips.read(project.dataset_dir)
    for each in listed.values():
        parts = each.kept_seconds, each.dropped_seconds, each.non_speech_seconds
        assert round(1000 * sum(parts)) == round(1000 * each.seconds)
        own = from_source(clips_of, Path(each.path).name)
        assert sum(each.clips.values()) == len(own)
        ends = [0.0, *(clip.end for clip in own)]
        assert all(clip.start >= end for clip, end in zip(own, ends, strict=False))
    one = listed["one.FLAC"]
    assert (one.seconds, one.rate, one.channels) == (27.0, 16_000, 1)
    assert "flac" in one.format
    assert one.pieces.pieces == len(from_source(clips_of, "one.FLAC"))
    assert one.measured is not None
    assert one.measured.bandwidth > 5000
    (summary,) = [event.summary for event in result.of(DatasetWritten)]
    assert round(summary["input_seconds"] * 1000) == sum(
        round(summary[f"{part}_seconds"] * 1000) for part in ("kept", "dropped", "non_speech")
    )


def test_the_findings_say_what_to_fix_first(done: tuple[Project, Done]) -> None:
    project, result = done
    findings = json.loads((project.dataset_dir / "summary.json").read_text())["findings"]
    levels = [finding["level"] for finding in findings]
    assert levels == sorted(levels), "what concerns comes before what is worth a look"
    assert {"minutes", "clips", "recordings"} <= {finding["name"] for finding in findings}
    told = {event.code for event in (*result.of(Warned), *result.of(Note))}
    assert {finding["name"].replace(" ", "_") for finding in findings} <= told
    for finding in findings:
        assert finding["seen"]
        assert finding["means"]
        assert finding["advice"]
    (broken,) = [finding for finding in findings if finding["name"] == "recordings"]
    assert [Path(path).name for path in broken["recordings"]] == ["broken.wav"]


def test_too_little_speech_is_refused_but_can_be_looked_at(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    project = moved(done, tmp_path / "anna")
    strict = project.with_values({"dataset.min_minutes": 2.0})
    kind, message = failure(strict)
    assert kind is DatasetError
    assert "0.6 min of speech; a voice needs 2 min" in message
    assert "--set dataset.min_minutes=0" in message
    assert clips.read(project.dataset_dir)


def test_clips_say_what_is_spoken_in_them(done: tuple[Project, Done]) -> None:
    listed = clips.read(done[0].dataset_dir)
    for name, text in (("one.FLAC", "journey"), ("two.wav", "market")):
        heard = words(" ".join(clip.text for clip in from_source(listed, name)))
        known = known_words(text, len(heard))
        assert word_errors(known, heard) / len(known) < 0.15
    good = [clip for clip in listed if clip.state == "kept"]
    assert len({clip.id for clip in listed}) == len(listed)
    assert sum(clip.text.rstrip()[-1] in ".?!" for clip in good) / len(good) > 0.8
    assert all(1.0 <= clip.seconds <= 11.0 for clip in good)
    assert all(clip.scores["tokens"] <= 200 for clip in good)
    assert {clip.language for clip in listed} == {"en"}
    assert {clip.speaker for clip in listed} == {"Anna"}


def test_wavs_hold_the_audio_of_their_clips(done: tuple[Project, Done]) -> None:
    project, _ = done
    listed = [clip for clip in clips.read(project.dataset_dir) if clip.wav]
    original = piece("market", 21.0, 22_050)
    for clip in listed:
        info = soundfile.info(project.dataset_dir / clip.wav)
        assert (info.samplerate, info.channels, info.subtype) == (22_050, 1, "PCM_16")
        assert info.duration == pytest.approx(clip.seconds, abs=0.001)
    for clip in from_source(listed, "two.wav"):
        audio = soundfile.read(project.dataset_dir / clip.wav, dtype="float32")[0]
        start = round(clip.start * 22_050)
        there = original[start : start + len(audio)]
        middle = slice(200, len(there) - 200)
        assert np.corrcoef(audio[middle], there[middle])[0, 1] > 0.999
        assert np.abs(audio[[0, -1]]).max() < 0.01
    names = [clip.wav for clip in from_source(listed, "two.wav")]
    assert names == [f"wavs/two_{number:08d}.wav" for number in range(1, len(names) + 1)]
    on_disk = {f"wavs/{path.name}" for path in (project.dataset_dir / "wavs").iterdir()}
    assert on_disk == {clip.wav for clip in listed}


def test_the_sets_are_apart_and_in_the_tables(done: tuple[Project, Done]) -> None:
    project, result = done
    listed = clips.read(project.dataset_dir)
    for name in ("train", "eval"):
        rows = (project.dataset_dir / f"metadata_{name}.csv").read_text().splitlines()[1:]
        assert [row.split("|")[0] for row in rows] == [c.wav for c in listed if c.split == name]
        assert rows
    for left in listed:
        for right in listed:
            if left.source == right.source and (left.split, right.split) == ("train", "eval"):
                assert left.end + 1 <= right.start or right.end + 1 <= left.start
    assert (project.dataset_dir / "lang.txt").read_text() == "en\n"
    (written,) = result.of(DatasetWritten)
    summary = json.loads((project.dataset_dir / "summary.json").read_text())
    assert written.summary == summary
    assert summary["kept_clips"] == summary["train_clips"] + summary["eval_clips"]
    assert summary["kept_clips"] + summary["dropped_clips"] == len(listed)
    assert (summary["sources"], summary["failed_sources"], summary["duplicate_sources"]) == (
        3,
        1,
        1,
    )
    assert summary["input_seconds"] == 51.0
    assert summary["kept_seconds"] <= summary["speech_seconds"] + 0.3 * summary["kept_clips"]


def test_dropped_clips_are_told_before_training(done: tuple[Project, Done]) -> None:
    project, result = done
    listed = {clip.id: clip for clip in clips.read(project.dataset_dir) if clip.state == "dropped"}
    assert {event.clip: event.reason for event in result.of(ClipDropped)} == {
        identifier: clip.reason for identifier, clip in listed.items()
    }


def test_a_second_run_changes_nothing_and_needs_no_torch(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    project = moved(done, tmp_path / "elsewhere")
    before = content(project)
    code = (
        "import sys; from pathlib import Path; from engine import project; "
        "from engine.dataset import prepare; "
        "session = prepare.session(project.load(Path(sys.argv[1]))); session.start(); "
        "outcome = session.wait(); assert outcome.error is None, outcome.error; "
        "heavy = {'torch', 'transformers', 'TTS', 'faster_whisper', 'silero_vad', 'scipy', 'av'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(project.folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"
    after = content(project)
    assert after.pop("summary.json")[1] == before.pop("summary.json")[1]
    assert after == before
    log = eventlog.read_all(jobs.job_folders(project.jobs_dir)[-1] / jobs.LOG_NAME)
    told = [record.event for record in log if isinstance(record.event, SourcePrepared)]
    assert len(told) == 3
    assert all(event.cached for event in told)


def _unvoiced(clip: Clip) -> Clip:
    """The clip without the distance to a voice that is known better with each recording."""
    return replace(clip, scores={n: v for n, v in clip.scores.items() if n != "speaker"})


def test_another_recording_is_added_and_moves_no_clip(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    project = moved(done, tmp_path / "anna")
    before = {clip.id: _unvoiced(clip) for clip in clips.read(project.dataset_dir)}
    encode(
        project.folder / "rec" / "three.mp3",
        piece("lighthouse", 18.0, 48_000),
        48_000,
        "libmp3lame",
    )
    result = run(project)
    assert {event.source for event in result.of(SourcePrepared) if not event.cached} == {
        "rec/three.mp3"
    }
    after = {clip.id: _unvoiced(clip) for clip in clips.read(project.dataset_dir)}
    assert {identifier: after[identifier] for identifier in before} == before
    new = [clip for identifier, clip in after.items() if identifier not in before]
    assert {clip.source.path for clip in new} == {"rec/three.mp3"}
    assert len(new) >= 3


def test_other_settings_cut_again_without_listening_again(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    project = moved(done, tmp_path / "anna").with_values({"dataset.max_clip_seconds": 4.0})
    held_out = split.load(project.dataset_dir)
    before = dataset_bytes(project)
    same_while_cutting: list[bool] = []

    def watch(session: prepare.Session, event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "cut":
            same_while_cutting.append(dataset_bytes(project) == before)

    result = run(project, watch)
    stages = {event.stage for event in result.of(Progress)}
    assert "transcribe" not in stages, "only clips that look wrong are heard again"
    listed = [clip for clip in clips.read(project.dataset_dir) if clip.state == "kept"]
    assert max(clip.seconds for clip in listed) <= 4.0
    assert split.load(project.dataset_dir) == held_out
    assert same_while_cutting
    assert all(same_while_cutting), "the dataset stays as it was until all recordings are cut"
    on_disk = {f"wavs/{path.name}" for path in (project.dataset_dir / "wavs").iterdir()}
    assert on_disk == {clip.wav for clip in clips.read(project.dataset_dir) if clip.wav}


def test_edits_live_through_preparations(done: tuple[Project, Done], tmp_path: Path) -> None:
    project = moved(done, tmp_path / "anna")
    review = Review.open(project)
    one, two = (
        next(row for row in review.clips if row.state == "kept" and Path(row.source.path).name == n)
        for n in ("one.FLAC", "two.wav")
    )
    review.set_text(one.id, "Somebody wrote this.")
    review.split(two.id, (two.start + two.end) / 2)
    review.close()
    before = content(project)
    result = run(project)
    assert all(event.cached for event in result.of(SourcePrepared))
    after = content(project)
    assert after == before | {"summary.json": after["summary.json"]}, "nothing was written anew"
    changed = project.with_values({"dataset.max_clip_seconds": 4.0})
    result = run(changed)
    (told,) = [event.summary["orphaned_edits"] for event in result.of(DatasetWritten)]
    warned = "orphaned_edits" in {event.code for event in result.of(Warned)}
    assert warned == (told > 0)
    assert told or any(clip.edited for clip in clips.read(project.dataset_dir))
    run(project)
    assert derived(content(project)) == derived(before)


def test_a_preparation_waits_for_a_console_that_writes(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    project = moved(done, tmp_path / "anna")
    before = content(project)

    def stop(session: prepare.Session, event: Event) -> None:
        if isinstance(event, Stage) and event.name == "dataset":
            session.stop("SIGINT")

    with edits.hold(project.dataset_dir, "review"):
        result = run(project, stop)
    assert result.outcome.state == "stopped", "it waited, and heard the stop"
    assert content(project) == before
    assert run(project).outcome.error is None


def test_a_stop_leaves_the_dataset_as_it_was(done: tuple[Project, Done], tmp_path: Path) -> None:
    project = moved(done, tmp_path / "anna")
    before = dataset_bytes(project)

    def stop(session: prepare.Session, event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "cut":
            session.stop("SIGINT")

    changed = project.with_values({"dataset.max_clip_seconds": 4.0})
    assert run(changed, stop).outcome.state == "stopped"
    assert dataset_bytes(project) == before
    assert run(project).outcome.error is None
    assert dataset_bytes(project) == before
    assert run(changed).outcome.error is None
    assert dataset_bytes(project) != before
    assert not (project.dataset_dir / ".new").exists()


def test_a_recording_that_goes_takes_its_clips_along_and_may_come_back(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    project = moved(done, tmp_path / "anna")
    before = tables(project)
    (project.folder / "rec" / "one.FLAC").rename(tmp_path / "one.FLAC")
    (project.dataset_dir / "wavs" / "notes.wav").write_text("a person's own file")
    run(project)
    listed = clips.read(project.dataset_dir)
    assert not from_source(listed, "one.FLAC")
    assert not list((project.dataset_dir / "wavs").glob("one_*"))
    assert (project.dataset_dir / "wavs" / "notes.wav").exists()
    (project.dataset_dir / "wavs" / "notes.wav").unlink()
    (tmp_path / "one.FLAC").rename(project.folder / "rec" / "one.FLAC")
    result = run(project)
    assert not result.of(AsrModel), "what was heard is remembered"
    assert tables(project) == before


def test_a_lost_wav_is_written_again(done: tuple[Project, Done], tmp_path: Path) -> None:
    project = moved(done, tmp_path / "anna")
    before = tables(project)
    os.truncate(project.dataset_dir / "wavs" / "two_00000002.wav", 1000)
    run(project)
    assert tables(project) == before


def test_a_stop_is_heard_at_once_and_the_next_run_goes_on(tiny_base: Path, tmp_path: Path) -> None:
    project = made(tmp_path / "anna", tiny_base, asr_batch=1)
    # More chunks than are heard at a time on few cores.
    speech = np.tile(piece("market", 34.0, 16_000), 3)
    soundfile.write(project.folder / "rec" / "one.wav", speech, 16_000)
    asked_at = 0.0

    def stop(session: prepare.Session, event: Event) -> None:
        nonlocal asked_at
        if isinstance(event, Progress) and event.stage == "transcribe" and event.done:
            asked_at = asked_at or time.monotonic()
            session.stop("SIGINT")

    result = run(project, stop)
    assert time.monotonic() - asked_at < 2.0
    assert result.outcome.state == "stopped"
    assert not [child for child in psutil.Process().children() if "asr_worker" in child.cmdline()]
    (record,) = (project.cache_dir / "transcripts").iterdir()
    first = record.read_bytes()
    head, *begun = first.splitlines()
    chunks = len(json.loads(head)["chunks"])
    assert 1 <= len(begun) <= chunks
    assert chunks >= 4
    assert not (project.cache_dir / "work").exists()
    assert run(project).outcome.error is None
    assert record.read_bytes().startswith(first)
    heard = [row for row in record.read_bytes().splitlines() if row.startswith(b'{"chunk"')]
    assert len(heard) == chunks


def test_a_killed_run_goes_on_to_the_same_dataset(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    project = moved(done, tmp_path / "anna")
    wanted = tables(project)
    shutil.rmtree(project.dataset_dir / "wavs")
    code = (
        "import os, signal, sys; from pathlib import Path; from engine import project; "
        "from engine.dataset import prepare; from engine.events import Progress; "
        "session = prepare.session(project.load(Path(sys.argv[1]))); "
        "kill = lambda r: isinstance(r.event, Progress) and r.event.stage == 'cut' "
        "and os.kill(os.getpid(), signal.SIGKILL); "
        "session.job.subscribe(kill); session.start(); session.wait()"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(project.folder)], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert list((project.cache_dir / "work").iterdir()), "it was in the middle of its work"
    (project.dataset_dir / "wavs" / ".tmp-torn").parent.mkdir(exist_ok=True)
    (project.dataset_dir / "wavs" / ".tmp-torn").write_bytes(b"torn")
    assert run(project).outcome.error is None
    assert tables(project) == wanted
    assert not (project.cache_dir / "work").exists()


def test_characters_that_the_base_does_not_know_are_listed(
    done: tuple[Project, Done], tmp_path: Path
) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    letters = list("abcdefghijklmnopqrstuvxyz.,?!'-0123456789")
    specials = ["[STOP]", "[UNK]", "[SPACE]", "[en]"]
    tokenizer.train_from_iterator(
        [],
        trainers.BpeTrainer(initial_alphabet=letters, special_tokens=specials, show_progress=False),
    )
    (tmp_path / "base").mkdir()
    tokenizer.save(str(tmp_path / "base" / "vocab.json"))
    project = replace(moved(done, tmp_path / "anna"), base=str(tmp_path / "base"))
    result = run(project)
    listed = clips.read(project.dataset_dir)
    for clip in listed:
        assert (clip.reason == "unknown_characters") == ("w" in clip.text.lower()), clip
    (warned,) = [event for event in result.of(Warned) if event.code == "unknown_characters"]
    assert "does not know: w" in warned.seen
    summary = json.loads((project.dataset_dir / "summary.json").read_text())
    assert summary["unknown_characters"].keys() == {"w"}


def failure(project: Project) -> tuple[type[BaseException], str]:
    error = run(project).outcome.error
    assert error is not None
    return type(error), str(error)


def test_a_project_without_recordings_says_what_to_do(tiny_base: Path, tmp_path: Path) -> None:
    kind, message = failure(made(tmp_path / "anna", tiny_base))
    assert kind is SourceError
    assert "has no recordings in rec" in message
    assert "flac" in message


def test_a_project_of_broken_recordings_names_the_first(tiny_base: Path, tmp_path: Path) -> None:
    project = made(tmp_path / "anna", tiny_base)
    for name in ("a.wav", "b.wav", "c.wav"):
        (project.folder / "rec" / name).write_text(f"no sound {name}")
    kind, message = failure(project)
    assert kind is SourceError
    assert "a.wav holds no audio" in message
    assert "2 more" in message


def test_recordings_in_which_nobody_speaks_are_no_dataset(tiny_base: Path, tmp_path: Path) -> None:
    project = made(tmp_path / "anna", tiny_base)
    soundfile.write(project.folder / "rec" / "hum.wav", tone(3.0, 16_000, 50.0, 0.1), 16_000)
    kind, message = failure(project)
    assert kind is DatasetError
    assert "Nobody speaks" in message


def test_a_base_that_is_not_there_is_said_before_any_work(tiny_base: Path, tmp_path: Path) -> None:
    project = replace(made(tmp_path / "anna", tiny_base), base="xtts-v2.0.3")
    kind, message = failure(project)
    assert kind is BaseModelError
    assert "voicetui fetch xtts-v2.0.3" in message


def test_one_writer_at_a_time(tiny_base: Path, tmp_path: Path) -> None:
    project = made(tmp_path / "anna", tiny_base)
    first = prepare.session(project)
    with pytest.raises(BusyError):
        prepare.session(project)
    first.start()
    first.wait(60)
    assert len(jobs.job_folders(project.jobs_dir)) == 1
