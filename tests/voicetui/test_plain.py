"""The events of a job as lines."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from helpers_jobs import HOSTILE, evaluated, step, warned

from engine import events
from engine.eventlog import Record
from engine.events import EVENT_TYPES, Event
from voicetui.plain import DROPS_TOLD, Narrator


def told(*records: tuple[float, Event]) -> list[str]:
    """The lines without their times."""
    narrator = Narrator()
    lines = [
        line
        for number, (at, event) in enumerate(records)
        for line in narrator.tell(Record(number + 1, at, event))
    ]
    return [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in lines]


def one(event: Event) -> list[str]:
    return told((0.0, event))


STARTED = events.Started("train", 1, "0.1.0")


def test_a_line_begins_with_the_time_of_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Narrator().tell(Record(1, 1790000000.0, STARTED))[0]
    assert re.match(r"\d\d:\d\d:\d\d  train begins", line)


def test_a_step() -> None:
    assert one(step(31, steps=465, epochs=15, epoch=2, loss=3.412)) == [
        "epoch 2/15  step 31/465  loss 3.412 (text 0.030, mel 3.470)  lr 5.0e-06  2.0 clips/s"
        "  ETA 10 min  gradient 1  took 2.00 s, loader 0.01 s  10.0 s of audio/s"
    ]


def test_steps_come_at_most_every_two_seconds_but_the_last_of_an_epoch_is_told() -> None:
    records = [(0.3 * number, step(number)) for number in range(1, 16)]
    lines = told(*records, (4.6, evaluated(15, 3.0, best=True)))
    shown = [int(match[1]) for line in lines if (match := re.search(r"step (\d+)/", line))]
    assert shown == [1, 8, 15]
    assert "EVAL PERFORMANCE" in lines[-1]


def test_a_step_that_was_told_is_not_told_again() -> None:
    lines = told((0.0, step(1)), (1.0, evaluated(1, 3.0, best=True)))
    assert len(lines) == 2


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    assert len(told((5000.0, step(1)), (10.0, step(2)))) == 2


def test_an_evaluation_tells_the_change() -> None:
    lines = told((0, evaluated(9, 3.412, best=True)), (1, evaluated(18, 3.21, best=False)))
    assert lines[0] == "EVAL PERFORMANCE  epoch 1  loss 3.412  text 0.030  mel 3.382  BEST MODEL"
    assert lines[1] == (
        "EVAL PERFORMANCE  epoch 1  loss 3.210 (-0.202)  text 0.030 (+0.000)  mel 3.180 (-0.202)"
    )


def test_a_new_session_compares_with_nothing_before_it() -> None:
    lines = told((0, evaluated(9, 3.4, best=True)), (1, STARTED), (2, evaluated(9, 3.2, best=True)))
    assert "(" not in lines[-1]


def test_a_warning_says_what_was_seen_what_it_means_and_what_to_do() -> None:
    assert [line.strip() for line in one(warned())] == [
        "WARNING  the loss is flat",
        "means:   it learns nothing",
        "remedy:  raise the rate",
    ]


def test_progress_is_thinned_and_its_end_is_told() -> None:
    records = [(0.1 * done, events.Progress("decode", done, 40, "files")) for done in range(1, 41)]
    lines = told((0, events.Stage("decode", 40, "files")), *records)
    assert lines == [
        "reading the audio  40 files",
        "reading the audio  1/40 files  2 %",
        "reading the audio  21/40 files  52 %",
        "reading the audio  40/40 files  100 %",
    ]


def test_dropped_clips_are_told_singly_then_counted() -> None:
    def drop(number: int) -> events.ClipDropped:
        reason = "too short" if number % 4 else "no words"
        return events.ClipDropped(f"c{number}", "a.wav", number, number + 0.5, reason)

    records = [(0.0, drop(number)) for number in range(1, 21)]
    lines = told(
        *records, (1.0, events.DatasetWritten({"kept": 30, "eval_seconds": 72.4, "share": 1 / 7}))
    )
    assert sum("dropped a clip of a.wav at" in line for line in lines) == DROPS_TOLD
    assert lines[-2:] == [
        "dropped 20 clips: 15 too short, 5 no words",
        "          dataset  kept 30, eval 1 min 12 s, share 0.1429",
    ]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (events.Stopped("SIGINT", 31), "stopped by Ctrl-C at step 31, all of it saved"),
        (events.Stopped("request"), "stopped by request, all of it saved"),
        (events.Failed("DiskFullError", "No space left"), "FAILED   No space left"),
        (events.Saved(31, 2, "step-000031", 5_300_000_000, 12.0, True), "5.3 GB in 12.0 s  best"),
        (events.RequestDone("a1", "save", True, "saved x"), "request to save done: saved x"),
        (events.RequestDone("a1", "speak", False, "no"), "request to speak not done: no"),
        (events.Resumed(7, 1, "step-000007", ["step-000009"]), "passed over: step-000009"),
        (events.RolledBack(40, 57, 2.5e-6, 1), "from step 57 to step 40; goes on with half"),
        (events.Samples(212, 34, 1080.0, 180.0), "212 clips to train on (18 min), 34 held out"),
        (events.Device("cpu", "a CPU", 24_000_000_000, 12_000_000_000), "12.0 GB of 24.0 GB free"),
        (events.SourceFailed("a.mp3", "a.mp3 has no audio"), "NOT USED a.mp3 has no audio"),
        (events.Spoke("/x/a.wav", "Hi.", 31, 2.6), "spoke with step 31 (3 s): /x/a.wav"),
        (events.Output("/x/dataset"), "writes to /x/dataset"),
        (events.SourcesFound(1, 1, 0, 0), "found 1 audio file, 1 to prepare"),
        (events.SourcesFound(9, 6, 2, 1), "6 to prepare; 2 the same as another, 1 not usable"),
        (events.Memory("decode", 2_000_000_000), "memory after reading the audio: 2.0 GB of RAM"),
        (
            events.Memory("cut", 1, 10_541_600_000, 1_740_400_000, 12_282_000_000),
            "GPU 10.5 GB used, 1.7 GB of 12.3 GB free",
        ),
        (
            events.Segmented("a.wav", 21, 19, 3, 2, 1, 0, 7.55),
            "a.wav: 21 stretches of speech became 19 pieces of 7.5 s on average; 3 sentences "
            "merged, 2 pieces extended, 1 too short, 0 too long",
        ),
        (
            events.ClipExtended("a.wav", 12.0, 0.62, 1.0),
            "extended a clip of a.wav at 12.0 s from 0.62 to 1.00 s",
        ),
        (
            events.Retranscribed("a.wav", 9, 4, 3, 1),
            "a.wav: 9 doubtful clips heard again, 4 corrected, 3 still differ, 1 failed",
        ),
        (
            events.AudioStatistics(21, 7.55, 0, 4),
            "21 clips of 7.55 s on average; 0 pieces were too short, 4 too long",
        ),
        (events.Stage("dataset"), "making the train and eval set"),
        (events.Exported("/x/export", 31, 2_000_000), "exported step 31 to /x/export (2.0 MB)"),
    ],
)
def test_what_a_line_says(event: Event, text: str) -> None:
    assert text in " ".join(one(event))


def test_a_dataset_says_what_to_fix_first() -> None:
    findings = [
        {"name": name, "seen": "it \x1b[1mhums", "advice": "Do this.", "level": "watch"}
        for name in ("hum", "hiss", "noise", "music", "levels")
    ]
    summary = {
        "kept_clips": 40, "suspect_clips": 2, "kept_seconds": 200.0, "dropped_seconds": 9.0,
        "non_speech_seconds": 31.0, "input_seconds": 240.0, "findings": findings,
    }  # fmt: skip
    lines = [line.strip() for line in one(events.DatasetWritten(summary))]
    assert lines[0] == (
        "dataset  40 clips with 3 min 20 s of speech (2 of them suspect); 9 s dropped and 31 s "
        "without speech make up the 4 min 00 s of audio"
    )
    assert lines[1:4] == ["what to fix first:", "1. hum: it ␛[1mhums", "Do this."]
    assert lines[-1].startswith("and 2 more")
    clean = one(events.DatasetWritten(summary | {"findings": []}))
    assert clean[-1].strip() == "nothing stands out that had to be fixed"


def test_extended_clips_are_told_singly_but_not_all() -> None:
    lines = told(*((0.0, events.ClipExtended("a.wav", n, 0.5, 1.0)) for n in range(20)))
    assert len(lines) == DROPS_TOLD


def test_an_end_tells_how_long_it_took() -> None:
    lines = told(
        (100.0, STARTED), (100.0 + 754, events.Finished({"step": 31, "bytes": 5_300_000_000}))
    )
    assert lines[-1] == "finished after 13 min: step 31, size 5.3 GB"


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_shown(loss: float) -> None:
    assert f"loss {loss:.3f}" in one(step(1, loss=loss, eta=math.nan))[0]


def test_earlier_voices_are_told_with_what_changed_since_the_start() -> None:
    assert one(events.Lineage("Ben", {"Anna": 12, "Carl\x1b": 1})) == [
        "the base has learned Anna (12 epochs), Carl␛ (1 epoch)"
    ]
    assert one(events.Lineage("Ben", {})) == []
    start = events.VoiceEvaluated("Anna", 0, 0, 5, 4.0, 2.0, 3.98, first=4.0, change=0.0)
    assert one(start) == ["earlier voice Anna  loss 4.000 at the start (5 clips)"]
    later = events.VoiceEvaluated("Anna", 40, 1, 5, 4.25, 2.0, 4.23, first=4.0, change=0.25)
    assert one(later) == ["earlier voice Anna  loss 4.250 (+0.250 since the start)"]


def _filled(kind: type[Event], text: str, value: float) -> Event:
    by_type: dict[str, object] = {
        "str": text,
        "int": int(value),
        "float": value,
        "bool": True,
        "int | None": 1,
        "list[str]": [text],
        "dict[str, Any]": {text: text},
    }
    import dataclasses

    return kind(**{f.name: by_type[str(f.type)] for f in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
@pytest.mark.parametrize("value", [0, 1, 1e15])
def test_every_event_can_be_told_and_none_shows_a_control_character(
    kind: type[Event], value: float
) -> None:
    lines = one(_filled(kind, HOSTILE, value))
    assert all(line.isprintable() for line in lines)


def test_an_event_of_a_later_version_says_nothing() -> None:
    assert one(events.Unknown("later_kind", {"x": Path("/")})) == []
