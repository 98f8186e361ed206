"""Readings of the machine, with a made driver and made control groups."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from helpers_nvml import GIB, FakeCard, FakeNvml, Lost, Unsupported, process

from engine import hardware, nvml
from engine.hardware import Gpu, Monitor


def test_every_card_is_read(tmp_path: Path) -> None:
    fake = FakeNvml(FakeCard(), FakeCard("Tesla T4", 15 * GIB, 14 * GIB, (7, 5)))
    with Monitor(fake) as monitor:
        first, second = monitor.read(tmp_path).gpus
        assert (monitor.driver, monitor.cuda, monitor.no_gpus) == ("570.86.15", (12, 8), "")
        assert fake.opened == 1
    assert fake.opened == 0
    assert (first.index, first.name, first.load, first.temperature) == (
        *(0, "NVIDIA GeForce RTX 4090", 97),
        71,
    )
    assert (first.power, first.power_limit, first.has_bf16) == (312.5, 450.0, True)
    assert (first.memory_used, first.memory_total, first.memory_free) == (GIB, 24 * GIB, 23 * GIB)
    assert (second.index, second.memory_free, second.has_bf16) == (1, GIB, False)


def test_what_a_card_does_not_report_is_none(tmp_path: Path) -> None:
    silent = FakeCard(broken={"power": Unsupported(), "load": Unsupported()})
    with Monitor(FakeNvml(silent)) as monitor:
        [gpu] = monitor.read(tmp_path).gpus
    assert (gpu.load, gpu.power, gpu.power_limit) == (None, None, None)
    assert (gpu.temperature, gpu.memory_used, gpu.lost) == (71, GIB, False)


def test_a_card_that_is_lost_meanwhile_does_not_hide_the_others(tmp_path: Path) -> None:
    falling = FakeCard("NVIDIA A40")
    with Monitor(FakeNvml(falling, FakeCard())) as monitor:
        assert not monitor.read(tmp_path).gpus[0].lost
        falling.broken["everything"] = Lost("GPU is lost")
        lost, other = monitor.read(tmp_path).gpus
    assert lost == Gpu(0, "NVIDIA A40", lost=True)
    assert other.load == 97


def test_a_card_that_was_lost_before_is_told() -> None:
    with Monitor(FakeNvml(FakeCard(broken={"everything": Lost()}), FakeCard())) as monitor:
        lost, other = monitor.gpus()
    assert (lost.name, lost.lost, other.lost) == ("GPU 0", True, False)


@pytest.mark.parametrize(
    ("reasons", "words"),
    [(0x0, ()), (0x1, ()), (0x2, ()), (0x4, ("power limit",)), (0x61, ("heat",))],
)
def test_why_a_card_is_slow_in_words(reasons: int, words: tuple[str, ...]) -> None:
    with Monitor(FakeNvml(FakeCard(reasons=reasons))) as monitor:
        assert monitor.gpus()[0].slowed == words


def test_names_of_cards_are_made_safe() -> None:
    with Monitor(FakeNvml(FakeCard("\x1b[31mA100"))) as monitor:
        assert "\x1b" not in monitor.gpus()[0].name


def test_memory_of_others_leaves_out_ours() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        ours = [process(os.getpid(), 5 * GIB), process(child.pid, GIB)]
        card = FakeCard(processes=[*ours, process(1, 2 * GIB)])
        found = _others(card)
        unknown = _others(FakeCard(processes=[process(1, None)]))
        silent = _others(FakeCard(broken={"processes": Unsupported()}))
        assert child.stdin is not None
        child.stdin.write(b"\n")
    assert (found, unknown, silent) == (2 * GIB, None, None)


def _others(card: FakeCard) -> int | None:
    cards = nvml.Cards(FakeNvml(card))
    cards.open()
    return cards._others_memory(card)


def test_without_a_driver_there_are_no_cards(tmp_path: Path) -> None:
    with Monitor(FakeNvml(no_driver="Driver Not Loaded\x1b")) as monitor:
        reading = monitor.read(tmp_path)
    assert reading.gpus == ()
    assert "Driver Not Loaded" in monitor.no_gpus
    assert "\x1b" not in monitor.no_gpus
    with Monitor(FakeNvml()) as monitor:
        assert "no card" in monitor.no_gpus


def test_the_real_machine_is_read_quickly_in_a_helper_thread(tmp_path: Path) -> None:
    readings: list[hardware.Reading] = []
    seconds: list[float] = []

    def work() -> None:
        with Monitor() as monitor:
            for _ in range(20):
                start = time.perf_counter()
                readings.append(monitor.read(tmp_path / "not" / "there"))
                seconds.append(time.perf_counter() - start)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    last = readings[-1]
    assert 0 < last.ram.available <= last.ram.total <= psutil.virtual_memory().total
    assert last.disk is not None
    assert 0 < last.disk.free <= last.disk.total
    assert last.own_ram == pytest.approx(psutil.Process().memory_info().rss, rel=0.5)
    assert last.time == pytest.approx(time.time(), abs=60)
    assert sorted(seconds)[10] < 0.005


def test_load_covers_the_time_since_the_last_reading(tmp_path: Path) -> None:
    with Monitor(FakeNvml()) as monitor:
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        reading = monitor.read(tmp_path)
    assert reading.cpu is not None
    assert reading.own_cpu is not None
    assert 0 < reading.own_cpu <= 100
    assert 0 < reading.cpu <= 100


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_version_2_limits_count_and_its_cache_does_not(tmp_path: Path) -> None:
    root = put(
        tmp_path,
        {
            "proc/self/cgroup": "0::/box/inner\n",
            "sys/fs/cgroup/box/inner/memory.max": "max\n",
            "sys/fs/cgroup/box/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/box/memory.current": f"{GIB}\n",
            "sys/fs/cgroup/box/memory.stat": f"anon 5\ninactive_file {GIB // 4}\n",
        },
    )
    found = hardware.memory(root)
    assert (found.total, found.available, found.is_limited) == (2 * GIB, 5 * GIB // 4, True)
    assert found.used == 3 * GIB // 4


def test_version_1_limits_are_found_from_inside_a_container(tmp_path: Path) -> None:
    root = put(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/4f2a\n0::/docker/4f2a\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{2 * GIB}\n",
            "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 0\n",
        },
    )
    assert hardware.memory(root) == hardware.Memory(GIB, 0, True)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "0::/\n"},
        {"proc/self/cgroup": "nonsense\n\n"},
        {
            "proc/self/cgroup": "4:memory:/\n",
            # Version 1 says "no limit" with a number like this one.
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "5",
            "sys/fs/cgroup/memory/memory.stat": "",
        },
        {
            "proc/self/cgroup": "0::/../../elsewhere\n",
            "sys/fs/cgroup/memory.max": "not a number",
        },
    ],
)
def test_no_limit_leaves_the_machines_memory(files: dict[str, str], tmp_path: Path) -> None:
    found = hardware.memory(put(tmp_path, files))
    assert (found.total, found.is_limited) == (psutil.virtual_memory().total, False)


def test_swap(tmp_path: Path) -> None:
    put(tmp_path, {"proc/meminfo": "MemTotal: 9 kB\nSwapTotal: 300 kB\nSwapFree: 100 kB\n"})
    with Monitor(FakeNvml(), tmp_path) as monitor:
        reading = monitor.read(tmp_path)
    assert (reading.swap_used, reading.swap_total) == (200 * 1024, 300 * 1024)
    with Monitor(FakeNvml(), tmp_path / "none") as monitor:
        assert monitor.read(tmp_path).swap_total is None
