"""What a run changes step by step, beside its progress: weights, optimizer, random states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from engine.settings import TrainingSettings
from engine.training import checkpoint, rng
from engine.training.checkpoint import Progress, Snapshot
from engine.training.optimizer import begun_tensors, make_optimizer, optimizer_tensors


class Trained:
    """The parameters of a model that require gradients, and what trains them.

    It remembers the random states of its making; `start_weights` reads the weights that training
    begins with anew, by their names in the model.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        settings: TrainingSettings,
        start_weights: Callable[[], checkpoint.Tensors],
    ) -> None:
        self.parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.optimizer = make_optimizer(model, settings)
        self._model, self._settings, self._start_weights = model, settings, start_weights
        self._start_rng = rng.device_states(), rng.host_states()

    def snapshot(self, progress: Progress, facts: Mapping[str, Any]) -> Snapshot:
        """Everything that the next step depends on."""
        return Snapshot(
            progress,
            self.parameters,
            optimizer_tensors(self.optimizer),
            rng.device_states(),
            rng.host_states(),
            facts,
        )

    def restore(self, saved: checkpoint.Checkpoint) -> None:
        """Take the state of a verified checkpoint. Raises DamagedError when it does not fit."""
        checkpoint.copy_into(saved, checkpoint.WEIGHTS, self.parameters)
        self.optimizer = make_optimizer(self._model, self._settings)
        if checkpoint.holds_tensors(saved, checkpoint.OPTIMIZER):
            own = begun_tensors(self.optimizer)
            checkpoint.copy_into(saved, checkpoint.OPTIMIZER, own)
        rng.set_device_states(checkpoint.load_tensors(saved, checkpoint.RNG))
        rng.set_host_states(saved.host_rng)

    def restart(self) -> None:
        """Take the state that the run began with."""
        start = self._start_weights()
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(start[name])
        self.optimizer = make_optimizer(self._model, self._settings)
        device_states, host_states = self._start_rng
        rng.set_device_states(device_states)
        rng.set_host_states(host_states)
