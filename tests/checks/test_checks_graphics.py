"""What the doctor says of drivers and cards."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from helpers_nvml import GIB, FakeCard, FakeNvml, Lost, Unsupported, process

from engine import hardware
from engine.checks import finding, graphics, machine
from engine.checks.finding import Finding, Surroundings, TerminalFacts
from engine.hub import never_stop
from engine.nvml import Nvml


def around(nvml: Nvml, **environment: str) -> Surroundings:
    return Surroundings(None, TerminalFacts(is_tty=False), environment, never_stop, nvml)


def only(found: Iterator[Finding]) -> Finding:
    [one] = found
    return one


def test_a_driver_that_serves_torchs_cuda() -> None:
    found = only(graphics.driver(around(FakeNvml(FakeCard()))))
    assert (found.level, found.seen) == ("ok", "570.86.15, serves CUDA 12.8")


def test_a_driver_that_is_too_old() -> None:
    wanted = graphics.torch_cuda()
    assert wanted is not None, "the tested torch is built for CUDA"
    found = only(graphics.driver(around(FakeNvml(FakeCard(), cuda=11040))))
    assert found.level == "failure"
    assert "serves CUDA 11.4, but torch here is built for CUDA 12." in found.seen
    assert "Update the NVIDIA driver" in found.remedy


def test_no_driver_and_no_card() -> None:
    none = around(FakeNvml(no_driver="NVML Shared Library Not Found"))
    found = only(graphics.driver(none))
    assert found.level == "warning"
    assert "Shared Library Not Found" in found.seen
    assert "nvidia-smi" in found.remedy
    assert list(graphics.cards(none)) == []
    assert only(graphics.cards(around(FakeNvml()))).level == "warning"


def test_a_driver_that_hangs_hangs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_DRIVER_SECONDS", 0.05)
    released = threading.Event()
    fake = FakeNvml(FakeCard())
    fake.before_answer = released.wait
    at = around(fake)
    assert only(graphics.driver(at)).level == "failure"
    assert list(graphics.cards(at)) == []
    for skipped in (graphics.operation(at), graphics.recognition(at)):
        assert only(skipped).seen.startswith("skipped")
    released.set()


def test_each_card_with_tier_and_memory() -> None:
    nvml = FakeNvml(
        FakeCard(),
        FakeCard("Tesla T4", 15 * GIB, 14 * GIB, (7, 5)),
        FakeCard("NVIDIA GeForce RTX 3070", 8 * GIB, 0),
        FakeCard("NVIDIA Titan \x1b[2J", broken={"memory": Unsupported()}),
        FakeCard("NVIDIA A40", broken={"memory": Lost()}),
    )
    first, busy, small, silent, lost = graphics.cards(around(nvml))
    assert (first.level, first.name) == ("ok", "GPU 0")
    assert "A tier, 24.7 GB of 25.8 GB free" in first.seen
    assert busy.level == "warning"
    assert "End the other processes" in busy.remedy
    assert small.level == "warning"
    assert "12 GB or more" in small.remedy
    assert silent.level == "ok"
    assert "not in the tier list" in silent.seen
    assert "\x1b" not in silent.seen
    assert (lost.level, lost.name) == ("failure", "GPU 4")


def test_what_others_hold_and_which_cards_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.nvml._sees_machine", lambda: True)
    nvml = FakeNvml(FakeCard(processes=[process(1, 3 * GIB)]))
    card, visible = graphics.cards(around(nvml, CUDA_VISIBLE_DEVICES="0\x07"))
    assert "3.2 GB held by other processes" in card.seen
    assert visible.seen.startswith("CUDA_VISIBLE_DEVICES=0")
    assert "\x07" not in visible.seen


def test_a_gpu_box_needs_less_ram(monkeypatch: pytest.MonkeyPatch) -> None:
    ram = hardware.Memory(10_000_000_000, 9_000_000_000, True)
    monkeypatch.setattr(hardware, "memory", lambda: ram)
    on_card = only(machine.ram(around(FakeNvml(FakeCard()))))
    on_cpu = only(machine.ram(around(FakeNvml())))
    assert (on_card.level, on_cpu.level) == ("ok", "warning")
    assert on_card.seen == "9.0 GB of 10.0 GB free (the container's limit)"
    assert "11.0 GB" in on_cpu.seen
