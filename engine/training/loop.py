"""The training loop: steps, evaluations, checkpoints, and what people ask of it in between.

Requests are seen between batches. A stop throws the unfinished accumulation away: random states go
back to the last finished optimiser step, which is what the checkpoint holds, so that a resumed run
repeats nothing and leaves nothing out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from engine.control import Control
from engine.errors import FailedError, StopRequested
from engine.events import (
    Continued,
    Epoch,
    Evaluated,
    Event,
    Finished,
    Note,
    Paused,
    RequestDone,
    Saved,
    Step,
    Warned,
)
from engine.settings import TrainingSettings
from engine.training import checkpoint, rng
from engine.training.checkpoint import Progress, Snapshot
from engine.training.optimizer import make_optimizer, optimizer_tensors
from engine.training.precision import Place
from engine.training.schedule import learning_rate
from engine.training.task import Micro, Task

MAX_SKIPPED = 3
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """Mean losses of a step or an evaluation; `ce` is unweighted, `weighted` what is minimised."""

    ce: Mapping[str, float]
    weighted: Mapping[str, float]

    @property
    def fields(self) -> dict[str, float]:
        """The loss fields of an event."""
        named = {f"loss_{term}_ce": value for term, value in self.weighted.items()}
        named |= {f"{term}_ce": value for term, value in self.ce.items()}
        return {"loss": sum(self.weighted.values()), **named}


def _totals(micros: Sequence[Micro]) -> dict[str, int]:
    return {term: sum(m.targets[term] for m in micros) for term in micros[0].targets}


class Loop:
    """Trains one task in one run folder, from `progress` on."""

    def __init__(
        self,
        task: Task,
        settings: TrainingSettings,
        place: Place,
        run: Path,
        emit: Callable[[Event], None],
        control: Control,
        facts: Mapping[str, Any],
    ) -> None:
        self.task = task
        self.settings = settings
        self.place = place
        self.run_folder = run
        self.emit = emit
        self.control = control
        self.facts = facts
        self.progress = Progress()
        self.parameters = {n: p for n, p in task.model.named_parameters() if p.requires_grad}
        self.optimizer = make_optimizer(task.model, settings)
        self._saved: Progress | None = None
        self._step_seconds = 0.0

    # --- saving and restoring -------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything that the next step depends on."""
        return Snapshot(
            self.progress,
            self.parameters,
            optimizer_tensors(self.optimizer),
            rng.device_states(),
            rng.host_states(),
            self.facts,
        )

    def restore(self, saved: checkpoint.Checkpoint) -> None:
        """Take the state of a verified checkpoint. Raises DamagedError when it does not fit."""
        checkpoint.copy_into(saved, checkpoint.WEIGHTS, self.parameters)
        if checkpoint.holds_tensors(saved, checkpoint.OPTIMIZER):
            self._make_optimizer_state()
            own = optimizer_tensors(self.optimizer)
            checkpoint.copy_into(saved, checkpoint.OPTIMIZER, own)
        rng.set_device_states(checkpoint.load_tensors(saved, checkpoint.RNG))
        rng.set_host_states(saved.host_rng)
        self.progress = self._saved = saved.progress

    def _make_optimizer_state(self) -> None:
        """Let the optimiser create its tensors by a step that changes nothing."""
        for parameter in self.parameters.values():
            parameter.grad = torch.zeros_like(parameter)
        decays = [group["weight_decay"] for group in self.optimizer.param_groups]
        for group in self.optimizer.param_groups:
            group["lr"] = group["weight_decay"] = 0.0
        self.optimizer.step()
        for group, decay in zip(self.optimizer.param_groups, decays, strict=True):
            group["weight_decay"] = decay
        self.optimizer.zero_grad(set_to_none=True)

    def save(self) -> None:
        """Commit a checkpoint of the last finished step, then delete what is no longer kept."""
        begun = time.perf_counter()
        snapshot = self.snapshot()
        folder = checkpoint.commit(self.run_folder, snapshot)
        self._saved = self.progress
        seconds = time.perf_counter() - begun
        best = self.progress.best_step == self.progress.step
        self.emit(
            Saved(
                self.progress.step,
                self.progress.epoch,
                folder.name,
                snapshot.bytes,
                round(seconds, 3),
                best,
            )
        )
        keep = self.settings.keep_checkpoints
        checkpoint.prune(self.run_folder, keep, self.progress.best_step)

    # --- the road -------------------------------------------------------------------------------

    def run(self) -> Finished:
        """Train until the planned epochs are done or no longer help. Raises StopRequested."""
        try:
            while self.progress.epoch < self.settings.epochs and not self._stalled():
                self._epoch()
        except StopRequested as stop:
            self.optimizer.zero_grad(set_to_none=True)
            if self.progress.step:
                self._save_once()
            raise StopRequested(stop.reason, self.progress.step) from None
        return Finished(
            {
                "step": self.progress.step,
                "epochs": self.progress.epoch,
                "best_loss": self.progress.best_loss,
                "best_step": self.progress.best_step,
                "seconds": round(self.progress.seconds, 1),
            }
        )

    def _stalled(self) -> bool:
        patience = self.settings.early_stop_epochs
        if not patience or self.progress.stale < patience:
            return False
        self.emit(
            Note(
                "early_stop",
                f"No better held-out loss for {patience} epochs; the best is step "
                f"{self.progress.best_step}. Training ends here.",
            )
        )
        return True

    def _epoch(self) -> None:
        epoch = self.progress.epoch
        micros = self.task.epoch(epoch)
        size = self.settings.accumulation
        groups = [micros[i : i + size] for i in range(0, len(micros), size)]
        self.emit(Epoch(epoch + 1, self.settings.epochs, len(groups)))
        remaining = groups[self.progress.position :]
        batches = self._prefetched([m for group in remaining for m in group], epoch)
        for group in remaining:
            self._step(group, batches, len(groups))
            self._between_steps()
            self._save_in_between(last=self.progress.position == len(groups))
        self._evaluate()
        self.progress = replace(self.progress, epoch=epoch + 1, position=0)
        self.save()

    def _save_in_between(self, *, last: bool) -> None:
        every = self.settings.save_every_steps
        # The end of the epoch saves by itself.
        if every and not last and self.progress.step % every == 0:
            self._save_once()

    def _save_once(self) -> None:
        if self.progress != self._saved:
            self.save()

    def _prefetched(
        self, micros: Sequence[Micro], epoch: int | None
    ) -> Iterator[tuple[Any, float]]:
        """Each batch with the seconds it was waited for; the next one is made meanwhile."""
        with ThreadPoolExecutor(1, "voicetui-batches") as pool:
            following = [pool.submit(self.task.batch, m, epoch) for m in micros[:1]]
            for index in range(len(micros)):
                begun = time.perf_counter()
                batch = following.pop().result()
                waited = time.perf_counter() - begun
                if index + 1 < len(micros):
                    following.append(pool.submit(self.task.batch, micros[index + 1], epoch))
                yield batch, waited

    def _check(self) -> None:
        self.control.raise_if_stopped()

    def _step(
        self, group: Sequence[Micro], batches: Iterator[tuple[Any, float]], steps_per_epoch: int
    ) -> None:
        begun = time.perf_counter()
        before = rng.device_states()
        totals = _totals(group)
        sums: dict[str, torch.Tensor] = {}
        waited = 0.0
        try:
            for _ in group:
                self._check()
                batch, seconds = next(batches)
                waited += seconds
                for term, value in self._backward(batch, totals).items():
                    sums[term] = sums[term] + value if term in sums else value
        except StopRequested:
            rng.set_device_states(before)
            raise
        lr = learning_rate(
            self.settings,
            self.progress.step,
            self.progress.epoch,
            self.progress.position,
            steps_per_epoch,
        )
        measured, grad_norm = self._apply(sums, totals, lr, group)
        self._count(group, time.perf_counter() - begun)
        self.emit(
            Step(
                step=self.progress.step,
                steps=self.progress.step + self._remaining(steps_per_epoch),
                epoch=self.progress.epoch + 1,
                epochs=self.settings.epochs,
                lr=lr,
                grad_norm=grad_norm,
                clips=sum(len(m.clips) for m in group),
                audio_seconds=round(sum(m.audio_seconds for m in group), 2),
                seconds=round(time.perf_counter() - begun, 4),
                loader_seconds=round(waited, 4),
                eta=round(self._remaining(steps_per_epoch) * self._step_seconds, 1),
                memory=self.place.memory_used(),
                **measured.fields,
            )
        )

    def _backward(self, batch: Any, totals: Mapping[str, int]) -> dict[str, torch.Tensor]:
        with self.place.autocast():
            sums = self.task.sums(batch)
        weighted = [self.task.weights[term] * sums[term] / totals[term] for term in sums]
        torch.stack(weighted).sum().backward()  # type: ignore[no-untyped-call]
        return {term: value.detach() for term, value in sums.items()}

    def _apply(
        self,
        sums: Mapping[str, torch.Tensor],
        totals: Mapping[str, int],
        lr: float,
        group: Sequence[Micro],
    ) -> tuple[Measured, float]:
        """Clip, judge and apply the gradients; a step that is not finite changes nothing."""
        limit = self.settings.gradient_clip or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self.parameters.values(), limit)
        # One transfer from the device for all numbers of the step.
        *values, grad_norm = torch.stack([*sums.values(), norm]).tolist()
        measured = self._measured(dict(zip(sums, values, strict=True)), totals)
        finite = all(math.isfinite(value) for value in (*values, grad_norm))
        if finite:
            for parameter_group in self.optimizer.param_groups:
                parameter_group["lr"] = lr
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress = replace(self.progress, skipped=0 if finite else self.progress.skipped + 1)
        if not finite:
            self._warn_of_skipped(group)
        return measured, grad_norm

    def _measured(self, sums: Mapping[str, float], totals: Mapping[str, int]) -> Measured:
        ce = {term: value / totals[term] for term, value in sums.items()}
        return Measured(ce, {term: self.task.weights[term] * value for term, value in ce.items()})

    def _warn_of_skipped(self, group: Sequence[Micro]) -> None:
        names = [name for micro in group for name in self.task.clip_names(micro)]
        self.emit(
            Warned(
                "not_finite",
                f"Step {self.progress.step + 1} gave a loss or gradient that is not a number "
                f"(clips {', '.join(names)}).",
                "The step was thrown away; the weights did not change.",
                "Look at these clips. If it goes on, lower training.learning_rate.",
            )
        )
        if self.progress.skipped >= MAX_SKIPPED:
            raise FailedError(
                f"{MAX_SKIPPED} steps in a row were not finite; the weights and any checkpoint are "
                "those from before. Train again with '--inexact --set "
                f"learning_rate={self.settings.learning_rate / 2:g}', or with precision=fp32."
            )

    def _count(self, group: Sequence[Micro], seconds: float) -> None:
        smoothed = 0.9 * self._step_seconds + 0.1 * seconds
        self._step_seconds = smoothed if self._step_seconds else seconds
        self.progress = replace(
            self.progress,
            step=self.progress.step + 1,
            position=self.progress.position + 1,
            clips=self.progress.clips + sum(len(m.clips) for m in group),
            seconds=self.progress.seconds + seconds,
        )

    def _remaining(self, steps_per_epoch: int) -> int:
        """The steps still to come in the planned epochs."""
        done = self.progress.epoch * steps_per_epoch + self.progress.position
        return max(0, steps_per_epoch * self.settings.epochs - done)

    def _between_steps(self) -> None:
        """Do what people asked for."""
        self._answer_requests()
        if self.control.paused:
            self.emit(Paused(self.progress.step))
            while not self.control.wait_while_paused(_LOOK_SECONDS):
                self._answer_requests()
            if self.control.stop_reason is None:
                self.emit(Continued(self.progress.step))
        self._check()

    def _answer_requests(self) -> None:
        while request := self.control.take():
            if request.verb == "save":
                self._save_once()
                until = checkpoint.kept_until(self.settings.keep_checkpoints)
                message = f"step {self.progress.step} is saved, kept until {until}"
            else:
                message = f"a training run does not {request.verb}; use 'voicetui {request.verb}'"
            self.emit(RequestDone(request.id, request.verb, request.verb == "save", message))

    def _evaluate(self) -> None:
        """Judge the weights on the held-out clips."""
        begun = time.perf_counter()
        micros = self.task.held_out()
        sums: dict[str, float] = {}
        self.task.model.eval()
        try:
            with torch.no_grad():
                for batch, _ in self._prefetched(micros, None):
                    self._check()
                    with self.place.autocast():
                        for term, value in self.task.sums(batch).items():
                            sums[term] = sums.get(term, 0.0) + value.item()
        finally:
            self.task.model.train()
        measured = self._measured(sums, _totals(micros))
        loss = measured.fields["loss"]
        best = self.progress.best_loss
        lowest = math.isfinite(loss) and (best is None or loss < best)
        enough = lowest and (best is None or loss < best - self.settings.early_stop_change)
        self.progress = replace(
            self.progress,
            best_loss=loss if lowest else best,
            best_step=self.progress.step if lowest else self.progress.best_step,
            stale=0 if enough else self.progress.stale + 1,
        )
        self.emit(
            Evaluated(
                step=self.progress.step,
                epoch=self.progress.epoch + 1,
                best=lowest,
                seconds=round(time.perf_counter() - begun, 3),
                **measured.fields,
            )
        )
