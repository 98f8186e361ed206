"""kill -9 at random moments: a run goes on from where it was, and nothing acknowledged is lost."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers_xtts import make_loop

from engine import eventlog
from engine.events import Event, Saved, Step
from engine.jobs import LOG_NAME
from engine.training import checkpoint

KILLS = 20
EPOCHS = 1000


def _train(run: Path, base: Path, features: Any) -> None:
    """What each child does: go on from the newest checkpoint, saving every step."""
    log = eventlog.EventLog(run / LOG_NAME)
    loop = make_loop(
        run, base, features, emit=log.emit, epochs=EPOCHS, save_every_steps=1, accumulation=2
    )
    found = checkpoint.newest(run, lambda: None)
    if found:
        loop.restore(found[0])
    loop.run()


def _events(run: Path) -> list[Event]:
    return [record.event for record in eventlog.read_all(run / LOG_NAME)]


def _acknowledged(run: Path) -> int:
    return max((event.step for event in _events(run) if isinstance(event, Saved)), default=0)


def test_twenty_kills_lose_nothing_that_was_acknowledged(
    tmp_path: Path, tiny_base: Path, toy_features: Any, fork: Callable[..., Any]
) -> None:
    moments = random.Random(20)
    after_new_step = 0
    steps_after_each_kill = [0]
    for _ in range(KILLS):
        before = _acknowledged(tmp_path)
        child = fork(lambda: _train(tmp_path, tiny_base, toy_features))
        deadline = time.monotonic() + 60
        # Watch the log, not the clock: the kill comes at a random moment after a new checkpoint.
        while _acknowledged(tmp_path) <= before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moments.uniform(0.0, 0.25))
        child.kill()
        acknowledged = _acknowledged(tmp_path)
        after_new_step += acknowledged > before
        found = checkpoint.newest(tmp_path, lambda: None)
        assert found is not None
        assert not found[1], "a committed checkpoint is damaged"
        assert found[0].step >= acknowledged
        steps_after_each_kill.append(found[0].step)
    rises = list(itertools.pairwise(steps_after_each_kill))
    assert all(earlier < later for earlier, later in rises)
    assert after_new_step >= 15

    losses: dict[int, set[str]] = {}
    for event in _events(tmp_path):
        if isinstance(event, Step):
            losses.setdefault(event.step, set()).add(event.loss.hex())
    assert sorted(losses) == list(range(1, max(losses) + 1))
    assert all(len(seen) == 1 for seen in losses.values()), "a repeated step gave another loss"
