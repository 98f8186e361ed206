"""The index beside a log: with it or without it, readers see the same."""

from __future__ import annotations

import math
import os
import random
from pathlib import Path
from typing import Any

import pytest
from helpers_jobs import evaluated, make_project, step, warned

from engine import events, logindex
from engine.errors import DiskFullError
from engine.eventlog import EventLog, Record, encode, read_all, seal, unseal
from engine.events import Event
from engine.jobs import LOG_NAME, Job
from engine.logindex import Digest, Keeper, Landmark
from engine.status import Follower, read_state


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = make_project(tmp_path / "voice") / "runs" / "0001"
    folder.mkdir(parents=True)
    return folder


def write_records(log: Path, *told: Event, seq: int = 0) -> None:
    """Append the lines of events quickly; a line every second."""
    seq = seq or len(read_all(log))
    with log.open("ab") as handle:
        for number, event in enumerate(told, seq + 1):
            handle.write(encode(Record(number, 1000.0 + number, event)))


def long_story(steps: int) -> list[Event]:
    return [events.Started("train", os.getpid(), "0.1.0"), *(step(n) for n in range(1, steps + 1))]


def all_of(digest: Digest) -> dict[str, Any]:
    """Everything in a digest, so that NaN compares as equal."""
    return {
        "state": digest.state.to_json(),
        "series": digest.series.to_json(),
        "landmarks": digest.landmarks,
        "offset": digest.offset,
        "seq": digest.seq,
    }


def by_reading(log: Path) -> dict[str, Any]:
    """What the log alone tells."""
    digest = logindex.new(log)
    for _ in digest.read_on(log):
        pass
    return all_of(digest)


def random_story(chance: random.Random, count: int) -> list[Event]:
    """Events of a training run that is stopped, killed, resumed and begun anew."""

    def number() -> float:
        return chance.choice([math.nan, math.inf, -math.inf, 3.5, chance.random()])

    told: list[Event] = []
    at = 0
    for _ in range(count):
        kind = chance.choices(["step", "back", "again", "end", "course"], [70, 2, 1, 3, 24])[0]
        if kind == "step":
            at += chance.choice([1, 1, 1, 2])
            told.append(step(at, loss=number(), grad_norm=number(), eta=number(), epoch=at // 9))
        elif kind == "back":
            at = chance.randint(0, at)
            told.append(events.Started("train", chance.randrange(9), "0.1.0"))
            told.append(events.Resumed(at, at // 9, f"step-{at}"))
        elif kind == "again":
            at = 0
            told.append(events.Started("train", chance.randrange(9), "0.1.0"))
        elif kind == "end":
            summary = {"best_loss": number(), "pair": (1, 2), "\udcff": "nan"}
            ends = [
                events.Stopped("SIGINT", at),
                events.Failed("Full", "nan"),
                events.Finished(summary),
            ]
            told.append(chance.choice(ends))
        else:
            told.append(
                chance.choice(
                    [
                        evaluated(at, number(), best=chance.random() < 0.5),
                        events.Saved(at, 1, f"step-{at}", 9, 0.1, best=True),
                        warned(),
                        events.Epoch(at // 9, 9, 3),
                        events.Unknown("tomorrow", {"x": "nan", "y": [1, "\udcff"]}),
                        events.Paused(at),
                        events.Continued(at),
                        events.Stage("training \udcff", 3, "steps"),
                        events.Progress("p", number(), 3, "steps"),
                        events.ClipDropped("a", "a.wav", 0.0, 1.0, chance.choice("xyz")),
                    ]
                )
            )
    return told


def damaged(chance: random.Random, line: bytes) -> bytes:
    cut = line[: chance.randrange(len(line))]
    return chance.choice([cut + b"\n", b"\x00" * 40 + b"\n", b"\n", line[:-3] + b"00\n", b"\r\n"])


@pytest.mark.parametrize("seed", range(12))
def test_an_index_and_the_rest_make_the_same_as_the_whole(seed: int, run: Path) -> None:
    chance, log = random.Random(seed), run / LOG_NAME
    lines = [
        encode(Record(number, 1000.0 + number, event))
        for number, event in enumerate(random_story(chance, 400), 1)
    ]
    for _ in range(20):
        lines.insert(chance.randrange(len(lines)), damaged(chance, chance.choice(lines)))
    log.write_bytes(b"".join(lines) + lines[0][:30])
    whole = by_reading(log)

    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    for end in chance.sample(ends[1:], 8):
        # The index as it was when the log had only these bytes.
        content = log.read_bytes()
        log.write_bytes(content[: end + chance.randrange(20)])
        begun = logindex.complete(log)
        logindex.path_of(log).unlink(missing_ok=True)
        logindex.write(begun, log)
        log.write_bytes(content)
        found = logindex.read(log)
        assert found is not None
        assert found.offset >= end
        assert all_of(logindex.complete(log)) == whole


@pytest.mark.parametrize("seed", range(4))
def test_the_writer_and_a_reader_see_the_same(seed: int, run: Path) -> None:
    chance = random.Random(seed)
    story = random_story(chance, 200)
    cuts = sorted(chance.sample(range(len(story)), 3))
    for begin, end in zip([0, *cuts], [*cuts, len(story)], strict=True):
        # Each process writes its part, and some leave no index behind.
        job = Job(run, "train")
        for event in story[begin:end]:
            job.emit(event)
        own, read = all_of(job._keeper.digest), by_reading(run / LOG_NAME)
        # A tuple in a summary is a list in the log, and in the index.
        assert seal(own["state"]) == seal(read["state"])
        assert {**own, "state": None} == {**read, "state": None}
        job.close()
        assert all_of(logindex.complete(run / LOG_NAME)) == by_reading(run / LOG_NAME)
        if chance.random() < 0.5:
            logindex.path_of(run / LOG_NAME).unlink(missing_ok=True)


def indexed(run: Path, steps: int = 200) -> Path:
    log = run / LOG_NAME
    write_records(log, *long_story(steps))
    logindex.write(logindex.complete(log), log)
    return log


def test_every_damaged_byte_of_an_index_makes_it_count_as_missing(run: Path) -> None:
    log = indexed(run, 20)
    index = logindex.path_of(log)
    whole = index.read_bytes()
    assert logindex.read(log) is not None
    chance = random.Random(1)
    for place in chance.sample(range(len(whole)), 300):
        for changed in (
            whole[:place],
            whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :],
        ):
            index.write_bytes(changed)
            found = logindex.read(log)
            # A missing last newline takes nothing away.
            assert found is None or changed == whole[:-1] or changed[:-1] == whole[:-1]


def forged(of: Path, **changes: Any) -> None:
    """Change what the index of a log says, with checksums that are right."""
    index = logindex.path_of(of)
    first, second = index.read_bytes().splitlines()
    place, rest = unseal(first), unseal(second)
    assert place is not None
    assert rest is not None
    for key, value in changes.items():
        (place if key in place else rest)[key] = value
    index.write_bytes(seal({"v": 1, **place}) + seal({"v": 1, **rest}))


@pytest.mark.parametrize(
    "changes",
    [
        {"index": [999, "0.1.0"]},
        {"index": [logindex.FORMAT_VERSION, "0.0.0"]},
        {"offset": 10**9},
        {"offset": 5},
        {"offset": -1},
        {"offset": "x"},
        {"log": None},
        {"state": {"run": "0001"}},
        {"state": {"warnings": [{}], "evaluations": 3}},
        {"series": {}},
        {"landmarks": [[1]]},
    ],
)
def test_an_index_of_another_version_counts_as_missing(changes: dict[str, Any], run: Path) -> None:
    log = indexed(run)
    forged(log)
    assert logindex.read(log) is not None
    forged(log, **changes)
    assert logindex.read(log) is None
    assert all_of(logindex.complete(log)) == by_reading(log)


def test_an_index_of_another_log_counts_as_missing(run: Path) -> None:
    log = indexed(run)
    whole = log.read_bytes()
    index = logindex.path_of(log).read_bytes()
    first = whole.index(b"\n") + 1
    last = whole.rindex(b"\n", 0, -1) + 1
    other = encode(Record(1, 5.0, events.Started("train", 5, "0.1.0")))
    other += b" " * (first - len(other) - 1) + b"\n"
    for changed in (
        whole[:-1],
        whole[:last],
        b"",
        other + whole[first:],
        whole[:last] + b"\x00" * (len(whole) - last),
        whole[:last] + whole[last:].replace(b'"loss":3.5', b'"loss":9.5'),
    ):
        log.write_bytes(changed)
        assert logindex.read(log) is None
        assert Follower(run).glance().partial is False
    log.write_bytes(whole + whole[first : first + 9])
    assert logindex.read(log) is not None
    assert logindex.path_of(log).read_bytes() == index


def test_a_run_that_was_moved_has_its_new_name(run: Path) -> None:
    indexed(run)
    moved = run.with_name("0007")
    run.rename(moved)
    found = logindex.read(moved / LOG_NAME)
    assert found is not None
    assert found.state.run == "0007"


def test_an_index_spares_reading_the_log(run: Path) -> None:
    log = indexed(run)
    whole = log.read_bytes()
    middle = len(whole) // 2
    # Damage that a reader of the whole log would see.
    log.write_bytes(whole[:middle] + b"\xff" * 900 + whole[middle + 900 :])
    follower = Follower(run)
    follower.poll()
    assert follower.series.window("loss", 1, 200, 1)[0].count == 200
    again = Follower(run)
    list(again.lines())
    assert again.series.window("loss", 1, 200, 1)[0].count < 200


def test_a_job_goes_on_from_the_index(run: Path) -> None:
    log = indexed(run)
    with log.open("ab") as handle:
        handle.write(b'{"torn')
    job = Job(run, "train")
    job.emit(step(201))
    job.close()
    records = read_all(log)
    assert [record.seq for record in records] == list(range(1, 203))
    assert all_of(logindex.complete(log)) == by_reading(log)


def test_landmarks_tell_where_the_important_lines_are(run: Path) -> None:
    write_records(
        run / LOG_NAME,
        events.Started("train", 1, "0.1.0"),
        events.Epoch(1, 2, 9),
        step(1),
        evaluated(1, 3.0, best=True),
        step(2),
        warned(),
    )
    follower = Follower(run)
    follower.poll()
    marks = follower.landmarks
    assert [(mark.kind, mark.step) for mark in marks] == [
        ("started", 0),
        ("epoch", 0),
        ("evaluated", 1),
        ("warning", 2),
    ]
    for mark in marks:
        record = follower.record_at(mark.offset)
        assert record is not None
        assert record.kind == mark.kind


def test_of_very_many_landmarks_the_most_frequent_are_thinned(run: Path) -> None:
    digest = logindex.new(run / LOG_NAME)
    told: list[Event] = [events.Started("train", 1, "0.1.0"), *([warned()] * 10_000)]
    for number, event in enumerate([*told, evaluated(5, 3.0, best=True)], 1):
        digest.apply(Record(number, 1000.0, event), number)
    kinds = [mark.kind for mark in digest.landmarks]
    assert logindex.MAX_LANDMARKS // 3 < len(kinds) <= logindex.MAX_LANDMARKS
    assert kinds.count("started") == kinds.count("evaluated") == 1
    warnings = [mark for mark in digest.landmarks if mark.kind == "warning"]
    assert warnings[-1] == Landmark(10_000, "warning", 0)
    assert digest.landmarks == sorted(digest.landmarks, key=lambda mark: mark.offset)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def kept(run: Path, clock: Clock) -> tuple[EventLog, Keeper]:
    log = EventLog(run / LOG_NAME)
    keeper = Keeper(log.path, clock)
    log.subscribe(lambda record: keeper.take(record, log.size))
    return log, keeper


def joined(keeper: Keeper) -> None:
    assert keeper._writer is not None
    keeper._writer.join()


def test_a_writer_indexes_when_a_minute_has_gone_by(run: Path) -> None:
    clock = Clock()
    log, keeper = kept(run, clock)
    for event in long_story(200):
        log.emit(event)
    clock.now = logindex.LAG_SECONDS
    log.emit(step(201))
    assert keeper._writer is None
    log.emit(warned())
    joined(keeper)
    first = logindex.read(log.path)
    assert first is not None
    assert first.offset == log.size
    # Not again so soon, and at the end in any case.
    log.emit(warned())
    log.emit(step(202))
    assert logindex.read(log.path).seq == first.seq  # type: ignore[union-attr]
    keeper.close()
    log.close()
    assert logindex.read(log.path).offset == log.size  # type: ignore[union-attr]
    assert all_of(logindex.complete(log.path)) == by_reading(log.path)


def test_a_writer_indexes_when_many_lines_came(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logindex, "LAG_EVENTS", 300)
    log, keeper = kept(run, Clock())
    for number in range(1, 400):
        log.emit(step(number))
    joined(keeper)
    found = logindex.read(log.path)
    assert found is not None
    assert found.seq == 300
    log.close()


def test_a_short_log_has_no_index(run: Path) -> None:
    job = Job(run, "train")
    job.emit(step(1))
    job.close()
    assert os.listdir(run) == [LOG_NAME]


def test_a_full_disk_costs_the_index_only(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise DiskFullError("no space")

    monkeypatch.setattr(logindex, "write_bytes", full)
    log, keeper = kept(run, Clock())
    for event in long_story(200):
        log.emit(event)
    keeper.close()
    log.close()
    assert not logindex.path_of(log.path).exists()
    assert read_state(run).step == 200


def test_a_reader_of_a_long_log_leaves_an_index(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logindex, "LONG_LOG_BYTES", 20_000)
    log = run / LOG_NAME
    write_records(log, *long_story(200))
    aside: list[Any] = []
    write_aside = logindex.write_aside
    monkeypatch.setattr(logindex, "write_aside", lambda *given: aside.append(write_aside(*given)))
    follower = Follower(run)
    while follower.poll(max_bytes=9_000):
        assert not aside
    follower.poll()
    (thread,) = aside
    thread.join()
    found = logindex.read(log)
    assert found is not None
    assert found.offset == log.stat().st_size
    assert found.state.state == "running"


def test_chunks_add_up_to_the_whole(run: Path) -> None:
    log = run / LOG_NAME
    write_records(log, *long_story(300))
    follower = Follower(run)
    told, rounds, more = [], 0, True
    while more:
        records, more = follower.read_some(max_bytes=5_000)
        told += records
        rounds += 1
    assert rounds == math.ceil(log.stat().st_size / 5_000) or rounds > 10
    assert [record.seq for record in told] == list(range(1, 302))
    assert follower.state.step == 300
    assert follower.series.steps == range(1, 301)
    assert follower.read_some() == ([], False)


def test_no_time_still_reads_a_record(run: Path) -> None:
    write_records(run / LOG_NAME, *long_story(3))
    follower = Follower(run)
    assert [follower.poll(limit_seconds=0.0) for _ in range(5)] == [True] * 4 + [False]


def test_a_glance_tells_the_end_at_once(run: Path) -> None:
    log = run / LOG_NAME
    write_records(log, *long_story(3_000))
    seen = Follower(run).glance()
    assert log.stat().st_size > logindex.GLANCE_BYTES
    assert (seen.partial, seen.step, seen.job) == (True, 3_000, "train")
    assert seen.state == "crashed"  # nobody holds the project
    logindex.write(logindex.complete(log), log)
    assert Follower(run).glance().partial is False


@pytest.mark.parametrize("tail_bytes", [0, 1, 500, 20_000, 10**9])
def test_a_glance_at_a_short_tail_is_never_wrong_about_the_end(run: Path, tail_bytes: int) -> None:
    log = run / LOG_NAME
    write_records(log, *long_story(100), events.Finished({"step": 100}))
    state = logindex.glance(log, tail_bytes)
    if tail_bytes >= 500:
        assert (state.state, state.step) == ("finished", 100)
    assert state.partial == (tail_bytes < 20_000)


def test_no_log_is_nothing(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "runs" / "0001")
    assert follower.poll() is False
    assert follower.glance().state == "new"
    assert follower.tail(5) == []
    assert logindex.read(tmp_path / LOG_NAME) is None


def test_pages_lead_back_to_the_start(run: Path) -> None:
    log = run / LOG_NAME
    chance = random.Random(2)
    lines = []
    for number in range(1, 2_001):
        if chance.random() < 0.1:
            lines.append(damaged(chance, encode(Record(1, 1.0, step(1)))))
        lines.append(encode(Record(number, 1000.0 + number, step(number))))
    log.write_bytes(b"".join(lines) + b'{"unfinished')
    follower = Follower(run)
    assert [record.seq for record in follower.tail(200)] == list(range(1_801, 2_001))
    page = follower.records_before(None, 300)
    seqs = [record.seq for record in page.records]
    while page.start:
        page = follower.records_before(page.start, 300)
        assert len(page.records) in (0, 300, 200)
        seqs = [record.seq for record in page.records] + seqs
    assert seqs == list(range(1, 2_001))
    assert follower.records_before(0, 5).records == ()


def test_a_long_line_is_read_from_its_end(run: Path) -> None:
    log = run / LOG_NAME
    long = events.Note("n", "x" * 200_000)
    write_records(log, step(1), long, step(2))
    assert [record.kind for record in Follower(run).tail(9)] == ["step", "note", "step"]
    assert [record.kind for record in Follower(run).tail(2)] == ["note", "step"]
