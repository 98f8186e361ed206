"""How a long event log is read: `python tests/bench/long_log.py [DIR] [--lines N]`.

Makes a log of a million lines once (300 MB), then measures what a dashboard needs of it, with its
index and without.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine import logindex
from engine.eventlog import Record, encode
from engine.events import Epoch, Evaluated, Event, Resumed, Saved, Started, Step, Warned
from engine.jobs import LOG_NAME
from engine.status import Follower, read_state

EPOCH_STEPS = 2_000
COLUMNS = 200
TAIL = 200
CHUNK_SECONDS = 0.03


def told(lines: int) -> list[Callable[[], Event]]:
    """The story of a run with two resumes, as functions, so that it is never in memory whole."""
    random.seed(1)
    story: list[Callable[[], Event]] = [lambda: Started("train", 1, "0.1.0")]
    number = 0
    while len(story) < lines:
        number += 1
        if number % EPOCH_STEPS == 1:
            epoch = number // EPOCH_STEPS + 1
            story.append(lambda epoch=epoch: Epoch(epoch, 1000, EPOCH_STEPS))
        story.append(lambda number=number: _step(number))
        if number % EPOCH_STEPS == 0:
            epoch = number // EPOCH_STEPS
            story.append(lambda n=number, e=epoch: _evaluated(n, e))
            story.append(
                lambda n=number, e=epoch: Saved(n, e, f"step-{n:06d}", 10, 0.1, best=False)
            )
        if number % 50_000 == 0:
            story.append(
                lambda: Warned("loss_flat", "the loss is flat", "it learns nothing", "wait")
            )
        if number in (lines // 3, lines // 2):
            back = number - 500
            story.append(lambda: Started("train", 1, "0.1.0"))
            story.append(lambda back=back: Resumed(back, back // EPOCH_STEPS, f"step-{back:06d}"))
    return story[:lines]


def _step(number: int) -> Step:
    mel = 2.0 + 2.0 * math.exp(-number / 200_000) + random.gauss(0, 0.1)
    text = 2.0 + random.random()
    loss = math.nan if number % 77_777 == 0 else 0.01 * text + mel
    return Step(
        number, 1_000_000, number // EPOCH_STEPS + 1, 500, loss, 0.01 * text, mel, text, mel,
        5e-6 * (1 + math.cos(number / 9_000)), random.lognormvariate(0, 0.5), 8, 52.13,
        round(random.uniform(0.8, 1.2), 4), 0.0132, 1234.5, 1.2e10,
    )  # fmt: skip


def _evaluated(number: int, epoch: int) -> Evaluated:
    loss = 2.5 + 1.5 * math.exp(-number / 150_000)
    return Evaluated(number, epoch, loss, 0.03, loss - 0.03, 3.0, loss - 0.03, True, 12.0)


def make(log: Path, lines: int) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as handle:
        for seq, event in enumerate(told(lines), 1):
            handle.write(encode(Record(seq, 1_790_000_000.0 + seq, event())))


def timed(work: Callable[[], object]) -> tuple[float, object]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def show(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:<58} {seconds * 1000:10.1f} ms  {more}")


def dashboard(run: Path) -> Follower:
    follower = Follower(run)
    follower.poll()
    steps = follower.series.steps
    assert len(follower.series.window("loss", steps[0], steps[-1], COLUMNS)) == COLUMNS
    follower.series.smoothed("loss", steps[0], steps[-1], COLUMNS)
    assert len(follower.tail(TAIL)) == TAIL
    return follower


def measure(run: Path) -> None:
    log = run / LOG_NAME
    logindex.path_of(log).unlink(missing_ok=True)
    print(f"{log}: {log.stat().st_size / 1e6:.0f} MB")
    seconds, state = timed(Follower(run).glance)
    show("no index: glance at the state", seconds, f"step {state.step}, partial {state.partial}")
    show("no index: the last 200 records", timed(lambda: Follower(run).tail(TAIL))[0])

    follower = Follower(run)
    chunks: list[float] = []
    more = True
    while more:
        seconds, more = timed(lambda: follower.poll(limit_seconds=CHUNK_SECONDS))
        chunks.append(seconds)
    whole = follower.state
    total = sum(chunks)
    rate = follower.landmarks and whole.step / total
    show("no index: read whole in chunks", total, f"{rate:,.0f} lines/s, {len(chunks)} chunks")
    chunks.sort()
    show("    longest chunk / 99 %", chunks[-1], f"{chunks[int(len(chunks) * 0.99)] * 1000:.1f} ms")

    digest = logindex.complete(log)
    show("copy of the fold, in the training thread", timed(digest.copy)[0])
    show("writing the index, in a thread of its own", timed(lambda: logindex.write(digest, log))[0])
    size = logindex.path_of(log).stat().st_size
    print(f"    the index has {size / 1e6:.2f} MB")

    times = [timed(lambda: dashboard(run))[0] for _ in range(5)]
    show("index: state + chart window + last 200 records", statistics.median(times))
    show("index: glance at the state", timed(Follower(run).glance)[0])
    show("index: read_state", timed(lambda: read_state(run))[0])
    opened = dashboard(run).state
    assert opened == whole
    _measure_fold()


def _measure_fold() -> None:
    """What the fold costs the thread that trains, a step, merges of buckets included."""
    digest = logindex.new(Path("runs/0001/events.jsonl"))
    count = 40_000
    records = [Record(n, 1000.0 + n, _step(n)) for n in range(1, count + 1)]
    worst = 0.0
    begun = time.perf_counter()
    for number, record in enumerate(records, 1):
        before = time.perf_counter()
        digest.apply(replace(record, seq=number), number * 300)
        worst = max(worst, time.perf_counter() - before)
    mean = (time.perf_counter() - begun) / count
    show("the fold of 1,000 steps", mean * 1000, f"the slowest single step {worst * 1000:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.gettempdir()) / "voicetui-long-log"
    run = folder / "runs" / "0001"
    log = run / LOG_NAME
    if not log.exists():
        show("making the log", timed(lambda: make(log, arguments.lines))[0])
    measure(run)


if __name__ == "__main__":
    main()
