"""Each optimizer: what it decays, and that a resumed run is the run that never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_xtts import hex_losses, make_loop
from torch import nn

from engine.control import Control
from engine.errors import StopRequested
from engine.events import Event, Step
from engine.settings import SETTINGS, TrainingSettings
from engine.training import checkpoint
from engine.training.checkpoint import OPTIMIZER, WEIGHTS
from engine.training.optimizer import begun_tensors, checkpoint_bytes, make_optimizer

CHOICES = SETTINGS["training.optimizer"].choices


def _network() -> nn.Module:
    return nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.LayerNorm(3))


@pytest.mark.parametrize("choice", CHOICES)
def test_only_weights_are_decayed(choice: str) -> None:
    network = _network()
    optimizer = make_optimizer(network, TrainingSettings(optimizer=choice, weight_decay=0.5))
    decayed = [p for g in optimizer.param_groups if g["weight_decay"] for p in g["params"]]
    expected = [] if choice == "adam" else [network[1].weight]
    assert [id(p) for p in decayed] == [id(p) for p in expected]
    assert sum(len(g["params"]) for g in optimizer.param_groups) == 5


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("adamw", torch.optim.AdamW),
        ("adam", torch.optim.Adam),
        ("sgd", torch.optim.SGD),
        ("rmsprop", torch.optim.RMSprop),
    ],
)
def test_the_choice_is_torchs_own(choice: str, theirs: type) -> None:
    settings = TrainingSettings(optimizer=choice, momentum=0.8)
    optimizer = make_optimizer(_network(), settings)
    assert type(optimizer) is theirs
    if choice == "sgd":
        assert optimizer.defaults["momentum"] == 0.8
    elif choice != "rmsprop":
        assert optimizer.defaults["betas"] == (0.9, 0.96)


@pytest.mark.parametrize("choice", CHOICES)
def test_what_a_checkpoint_takes_is_known_before(choice: str) -> None:
    network = _network()
    settings = TrainingSettings(optimizer=choice)
    before = [p.detach().clone() for p in network.parameters()]
    tensors = begun_tensors(make_optimizer(network, settings))
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    weights = sum(p.numel() for p in network.parameters()) * 4
    kept = sum(t.numel() * 4 for t in tensors.values() if t.ndim)
    assert checkpoint_bytes(network.parameters(), settings) == weights + kept


@pytest.mark.parametrize("choice", [choice for choice in CHOICES if choice != "adamw"])
def test_a_resumed_run_is_exact(
    tmp_path: Path, tiny_base: Path, toy_features: Any, choice: str
) -> None:
    def loop(folder: Path, events: list[Event], control: Control, epochs: int) -> Any:
        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, Step) and event.step == 2:
                control.stop("SIGTERM")

        return make_loop(
            folder, tiny_base, toy_features, emit=emit, control=control, epochs=epochs,
            optimizer=choice, batch_size=4, accumulation=1,
        )  # fmt: skip

    def newest(folder: Path) -> checkpoint.Checkpoint:
        found = checkpoint.newest(folder, lambda: None)
        assert found is not None
        return found[0]

    class Unstopped(Control):
        def stop(self, reason: str) -> None:
            return

    straight: list[Event] = []
    loop(tmp_path / "straight", straight, Unstopped(), 1).run()
    events: list[Event] = []
    with pytest.raises(StopRequested):
        loop(tmp_path / "stopped", events, Control(), 1).run()
    again = loop(tmp_path / "stopped", events, Unstopped(), 1)
    again.restore(newest(tmp_path / "stopped"))
    again.run()
    assert len(hex_losses(straight)) == 3
    assert hex_losses(events) == hex_losses(straight)
    ends = [newest(tmp_path / name).files for name in ("straight", "stopped")]
    for name in (WEIGHTS, OPTIMIZER):
        assert ends[0][name]["sha256"] == ends[1][name]["sha256"]
