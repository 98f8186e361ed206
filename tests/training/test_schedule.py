"""The learning rate of each step."""

from __future__ import annotations

import pytest
import torch

from engine.settings import TrainingSettings
from engine.training.schedule import learning_rate


@pytest.mark.parametrize("growth", [1, 2])
def test_cosine_restarts_equal_those_of_torch(growth: int) -> None:
    settings = TrainingSettings(
        learning_rate=1e-4, final_learning_rate=1e-6, restart_epochs=3.0, restart_growth=growth
    )
    steps_per_epoch = 4
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1e-4)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, T_0=3 * steps_per_epoch, T_mult=growth, eta_min=1e-6
    )
    for step in range(60):
        ours = learning_rate(settings, step, step // 4, step % 4, steps_per_epoch)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        theirs.step()


def test_by_default_there_are_four_cycles() -> None:
    settings = TrainingSettings(epochs=20, learning_rate=1e-4)
    tops = [
        s
        for s in range(200)
        if learning_rate(settings, s, s // 10, s % 10, 10) == pytest.approx(1e-4)
    ]
    assert tops == [0, 50, 100, 150]


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
