"""The learning rate of each step, beside torch's schedulers on the same steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as theirs

from engine.errors import SettingError
from engine.settings import TrainingSettings
from engine.training.schedule import learning_rate, milestones, reductions, settled

# Steps in an epoch.
PER_EPOCH = 4
PEAK = 1e-4


def _ours(settings: TrainingSettings, steps: int) -> list[float]:
    return [
        learning_rate(settings, step, step // PER_EPOCH, step % PER_EPOCH, PER_EPOCH)
        for step in range(steps)
    ]


def _torchs(make: Callable[[torch.optim.Optimizer], Any], steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("changed", "make"),
    [
        ({"scheduler": "constant"}, lambda o: theirs.ConstantLR(o, factor=1.0)),
        (
            {"scheduler": "cosine", "decay_epochs": 15.0, "final_learning_rate": 1e-6},
            lambda o: theirs.CosineAnnealingLR(o, 60, eta_min=1e-6),
        ),
        (
            {"scheduler": "cosine_restarts", "restart_epochs": 3.0, "final_learning_rate": 1e-6},
            lambda o: theirs.CosineAnnealingWarmRestarts(o, 12, eta_min=1e-6),
        ),
        (
            {"scheduler": "cosine_restarts", "restart_epochs": 3.0, "restart_growth": 2},
            lambda o: theirs.CosineAnnealingWarmRestarts(o, 12, T_mult=2, eta_min=1e-6),
        ),
        (
            {"scheduler": "step", "decay_epochs": 2.5, "decay_factor": 0.7},
            lambda o: theirs.StepLR(o, 10, gamma=0.7),
        ),
        (
            {"scheduler": "multi_step", "milestones": "2, 5,9", "decay_factor": 0.3},
            lambda o: theirs.MultiStepLR(o, [8, 20, 36], gamma=0.3),
        ),
        (
            {"scheduler": "exponential", "decay_epochs": 5.0, "decay_factor": 0.5},
            lambda o: theirs.ExponentialLR(o, gamma=0.5 ** (1 / 20)),
        ),
        (
            {"scheduler": "constant", "warmup_steps": 9},
            lambda o: theirs.LinearLR(o, start_factor=0.1, total_iters=9),
        ),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_each_schedule_equals_that_of_torch(changed: dict[str, Any], make: Any) -> None:
    settings = TrainingSettings(learning_rate=PEAK, **changed)
    assert _ours(settings, 60) == pytest.approx(_torchs(make, 60), rel=1e-9)


def _plateau_of_torch(losses: list[float], patience: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = theirs.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience, min_lr=1e-6, eps=0.0
    )
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_plateau_equals_that_of_torch(patience: int) -> None:
    random = torch.Generator().manual_seed(3)
    noise = torch.randn(60, generator=random).tolist()
    losses = [3 * math.exp(-n / 9) + 2 + 0.01 * wobble for n, wobble in enumerate(noise)]
    losses[17] = math.nan
    settings = TrainingSettings(
        scheduler="plateau", learning_rate=PEAK, plateau_patience=patience, decay_factor=0.5
    )
    told = [None if math.isnan(loss) else loss for loss in losses]
    ours = [learning_rate(settings, 40, 10, 0, 4, told[: n + 1]) for n in range(60)]
    assert ours == pytest.approx(_plateau_of_torch(losses, patience), rel=1e-9)
    assert len(set(ours)) > 1


def test_no_evaluation_lowers_nothing() -> None:
    assert reductions([], 0) == 0
    assert reductions([3.0, 2.9, 2.8], 0) == 0
    assert reductions([3.0, 3.0, 2.99999, 3.0], 0) == 3


@pytest.mark.parametrize("scheduler", ["step", "multi_step", "exponential", "plateau", "cosine"])
def test_no_rate_falls_below_the_floor(scheduler: str) -> None:
    settings = TrainingSettings(
        scheduler=scheduler, learning_rate=PEAK, final_learning_rate=3e-5, decay_factor=0.01,
        milestones="1,2,3", decay_epochs=2.0,
    )  # fmt: skip
    last = learning_rate(settings, 80, 20, 0, 4, [3.0] * 30)
    assert last == pytest.approx(3e-5)


def test_a_cosine_that_has_fallen_stays_down() -> None:
    settings = TrainingSettings(scheduler="cosine", learning_rate=PEAK, decay_epochs=2.0)
    assert _ours(settings, 20)[8:] == pytest.approx([1e-6] * 12)


def test_by_default_there_are_four_cycles() -> None:
    settings = TrainingSettings(epochs=20, learning_rate=1e-4)
    tops = [
        s
        for s in range(200)
        if learning_rate(settings, s, s // 10, s % 10, 10) == pytest.approx(1e-4)
    ]
    assert tops == [0, 50, 100, 150]


@pytest.mark.parametrize(
    ("scheduler", "lengths"),
    [
        ("cosine_restarts", (5.0, 0.0)),
        ("cosine", (0.0, 20.0)),
        ("step", (0.0, 5.0)),
        ("exponential", (0.0, 5.0)),
        ("multi_step", (0.0, 0.0)),
        ("constant", (0.0, 0.0)),
    ],
)
def test_lengths_that_follow_from_the_epochs_are_written_out(
    scheduler: str, lengths: tuple[float, float]
) -> None:
    found = settled(TrainingSettings(scheduler=scheduler, epochs=20))
    assert (found.restart_epochs, found.decay_epochs) == lengths
    assert settled(found) == found


@pytest.mark.parametrize("text", ["5,5", "9,5", "0,4", "-2", "3,x", "3,", "2.5"])
def test_milestones_rise_in_whole_epochs(text: str) -> None:
    with pytest.raises(SettingError, match=r"training\.milestones is .*5,10,12"):
        milestones(TrainingSettings(milestones=text))


def test_constant_stays_and_warm_up_rises() -> None:
    settings = TrainingSettings(scheduler="constant", learning_rate=1e-4, warmup_steps=4)
    rates = [learning_rate(settings, step, 0, step, 10) for step in range(6)]
    assert rates == pytest.approx([2e-5, 4e-5, 6e-5, 8e-5, 1e-4, 1e-4])


def test_a_floor_above_the_peak_never_raises_the_rate() -> None:
    settings = TrainingSettings(learning_rate=1e-7, final_learning_rate=1e-6)
    assert all(
        learning_rate(settings, step, 0, step, 5) == pytest.approx(1e-7) for step in range(30)
    )


def test_cycles_of_a_fraction_of_an_epoch_restart_on_time() -> None:
    settings = TrainingSettings(learning_rate=1e-4, restart_epochs=1.2)
    tops = [s for s in range(60) if learning_rate(settings, s, 0, s, 10) == pytest.approx(1e-4)]
    assert tops == [0, 12, 24, 36, 48]
