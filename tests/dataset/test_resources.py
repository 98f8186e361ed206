from __future__ import annotations

import os
import subprocess
import sys

import psutil
from helpers_nvml import GIB, FakeCard, FakeNvml

from engine.dataset.resources import MemoryWatch
from engine.events import Event, Memory, Warned
from engine.hardware import Monitor


def test_each_stage_is_told_once_and_low_memory_is_warned_of_once() -> None:
    told: list[Event] = []
    card = FakeCard(total=8 * GIB, used=7 * GIB)
    watch = MemoryWatch(told.append, lambda: None, Monitor(FakeNvml(card)))
    watch.tell("decode")
    card.used = 8 * GIB - 400_000_000
    watch.tell("decode")
    watch.tell("transcribe")
    watch.tell("cut")
    stages = [event for event in told if isinstance(event, Memory)]
    assert [event.stage for event in stages] == ["decode", "transcribe", "cut"]
    assert [event.gpu_free for event in stages] == [GIB, 400_000_000, 400_000_000]
    assert {event.gpu_total for event in stages} == {8 * GIB}
    (warned,) = [event for event in told if isinstance(event, Warned)]
    assert warned.code == "low_gpu_memory"
    assert "400 MB of NVIDIA GeForce RTX 4090's memory are free after 'transcribe'" in warned.seen


def test_the_recognisers_process_is_counted_and_may_be_gone() -> None:
    told: list[Memory] = []
    no_card = Monitor(FakeNvml(no_driver="none"))
    worker = subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(60_000_000); print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    worker.stdout.readline()
    watch = MemoryWatch(told.append, lambda: worker.pid, no_card)  # type: ignore[arg-type]
    watch.tell("transcribe")
    worker.kill()
    worker.communicate()
    watch.tell("cut")
    own = psutil.Process(os.getpid()).memory_info().rss
    assert told[0].rss > told[1].rss + 55_000_000
    assert abs(told[1].rss - own) < 20_000_000
    assert told[0].gpu_total == 0
