"""Each trouble is told when it is there, is not told when it is not, and has a real remedy."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine import settings
from engine.events import Event, Step, Warned
from engine.settings import SETTINGS
from engine.training import health
from engine.training.precision import Place
from engine.training.watch import Watch

GB = 1e9
# Lower-case words with underscores in a remedy that are no settings of ours.
FOREIGN = {"expandable_segments"}


def steps(count: int, **changed: float) -> list[Step]:
    """Calm steps, with losses that waver as those of small batches do."""
    calm = Step(
        step=0, steps=999, epoch=1, epochs=9, loss=3.0, loss_text_ce=0.02, loss_mel_ce=2.98,
        text_ce=2.0, mel_ce=2.98, lr=5e-6, grad_norm=1.0, clips=4, audio_seconds=20.0,
        seconds=0.5, loader_seconds=0.001, eta=1.0,
    )  # fmt: skip
    made = [replace(calm, step=n, loss=3.0 + 0.2 * ((n * 7) % 5 - 2)) for n in range(1, count + 1)]
    return [replace(step, **changed) for step in made]


def with_losses(calm: list[Step], **spikes: float) -> list[Step]:
    at = {int(name[1:]): loss for name, loss in spikes.items()}
    return [replace(step, loss=at.get(step.step, step.loss)) for step in calm]


SLOWER = steps(60) + [replace(s, step=60 + s.step, seconds=1.2) for s in steps(20)]
SLOW_DISK = [replace(s, loader_seconds=0.7) if s.seconds > 1 else s for s in SLOWER]

FIRES: dict[str, Warned | None] = {
    "loss_spikes": health.loss_spikes(with_losses(steps(60), s10=12.0, s30=15.0, s50=11.0)),
    "slow_loader": health.slow_loader(steps(20, loader_seconds=0.1)),
    "slowed_down": health.slowed_down(SLOWER),
    "memory_grows": health.memory_grows([2 * GB, 3 * GB, 3.2 * GB, 3.4 * GB, 3.6 * GB]),
    "memory_fragmented": health.fragmented(10 * GB, 6 * GB),
    "little_vram_free": health.little_vram_free(499e6),
    "small_card": health.small_card(8 * 2**30),
    "disk_nearly_full": health.no_room_to_save(5.3 * GB, 5 * GB, 60 * GB),
    "ram_nearly_full": health.no_room_to_save(5.3 * GB, 50 * GB, 4 * GB),
}

CALM: dict[str, Warned | None] = {
    "calm losses": health.loss_spikes(steps(200)),
    "one spike": health.loss_spikes(with_losses(steps(60), s30=15.0)),
    "too few steps for spikes": health.loss_spikes(with_losses(steps(9), s3=9, s5=9, s7=9)),
    "a loss that falls": health.loss_spikes(
        [replace(s, loss=s.loss + 3 * 0.97**s.step) for s in steps(200)]
    ),
    "losses that are all one": health.loss_spikes(steps(40, loss=3.0)),
    "a quick loader": health.slow_loader(steps(40)),
    "a wait at the first step": health.slow_loader(
        [replace(s, loader_seconds=0.4 if s.step == 1 else 0.0) for s in steps(40)]
    ),
    "waits that are too short to matter": health.slow_loader(
        steps(40, seconds=0.02, loader_seconds=0.01)
    ),
    "steps as quick as ever": health.slowed_down(steps(200)),
    "shorter clips, as much audio a second": health.slowed_down(
        [replace(s, seconds=s.seconds / s.step, audio_seconds=20 / s.step) for s in steps(100)]
    ),
    "a short run": health.slowed_down(SLOWER[-59:]),
    "memory that grew in the first epoch": health.memory_grows([2 * GB, *[4 * GB] * 5]),
    "memory that wavers": health.memory_grows([2 * GB, 4 * GB, 4.4 * GB, 4.1 * GB, 4.8 * GB]),
    "memory that grows by little": health.memory_grows([2 * GB + n * 1e6 for n in range(9)]),
    "two epochs": health.memory_grows([2 * GB, 4 * GB]),
    "little held in reserve": health.fragmented(10 * GB, 8 * GB),
    "much of little": health.fragmented(1.2 * GB, 0.1 * GB),
    "enough free": health.little_vram_free(500e6),
    "a card of 12 GB": health.small_card(11.99 * 2**30),
    "room to save": health.no_room_to_save(5.3 * GB, 50 * GB, 60 * GB),
    "a disk that is not told": health.no_room_to_save(5.3 * GB, None, 60 * GB),
}


@pytest.mark.parametrize("code", FIRES)
def test_a_trouble_is_told(code: str) -> None:
    found = FIRES[code]
    assert found is not None
    assert found.code == code
    assert found.seen.endswith(".")
    assert found.means.endswith(".")
    assert found.remedy.endswith(".")


@pytest.mark.parametrize("case", CALM)
def test_what_is_well_is_not_told(case: str) -> None:
    assert CALM[case] is None


@pytest.mark.parametrize("code", FIRES)
def test_every_setting_of_a_remedy_exists(code: str) -> None:
    found = FIRES[code]
    assert found is not None
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", found.remedy)) - FOREIGN
    assert named <= {row.name for row in SETTINGS.values()}
    for pair in re.findall(r"\b[a-z_]+=[\w.]+", found.remedy):
        if pair.partition("=")[0].removeprefix("--set ") in named:
            settings.parse_assignments([pair])


def test_slower_steps_are_laid_to_what_they_wait_for() -> None:
    disk, heat = health.slowed_down(SLOW_DISK), health.slowed_down(SLOWER)
    assert disk is not None
    assert heat is not None
    assert "disk" in disk.means
    assert "disk" not in heat.means


def _watch(folder: Path, emit: list[Event], needed: int = 1) -> Watch:
    return Watch(Place(torch.device("cpu"), "fp32"), folder, emit.append, needed)


def _codes(events: list[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Warned)]


def test_a_trouble_is_told_once(tmp_path: Path) -> None:
    events: list[Event] = []
    watch = _watch(tmp_path, events)
    watch.begin()
    for step in steps(100, loader_seconds=0.2):
        watch.stepped(step, None)
    watch.epoch_ended(1)
    assert _codes(events) == ["slow_loader"]


def test_room_for_the_checkpoint_is_looked_at_before_the_first_step(tmp_path: Path) -> None:
    events: list[Event] = []
    _watch(tmp_path, events, needed=1 << 60).begin()
    assert _codes(events) == ["disk_nearly_full"]


def test_growth_is_seen_at_the_ends_of_epochs(tmp_path: Path) -> None:
    events: list[Event] = []
    watch = _watch(tmp_path, events)
    for epoch in range(5):
        for step in steps(3, memory=1e9 + epoch * 4e8):
            watch.stepped(step, None)
        watch.epoch_ended(epoch)
    assert _codes(events) == ["memory_grows"]


def test_steps_without_a_loss_are_left_out(tmp_path: Path) -> None:
    events: list[Event] = []
    watch = _watch(tmp_path, events)
    for step in steps(60):
        watch.stepped(replace(step, loss=float("nan") if step.step % 2 else 3.0), None)
    assert _codes(events) == []
