"""The training loop: steps, evaluations, checkpoints, and what people ask of it in between.

Requests are seen between batches. A stop throws the unfinished accumulation away: random states go
back to the last finished optimiser step, which is what the checkpoint holds, so that a resumed run
repeats nothing and leaves nothing out.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from engine.control import Control
from engine.errors import FailedError, StopRequested
from engine.events import (
    Epoch,
    Evaluated,
    Event,
    Finished,
    OutOfMemory,
    RolledBack,
    Saved,
    Step,
)
from engine.settings import TrainingSettings
from engine.training import checkpoint, counsel, division, evaluation, patience
from engine.training.between import Between
from engine.training.checkpoint import Progress
from engine.training.forgetting import EarlierVoice, Forgetting
from engine.training.losses import Measured
from engine.training.optimizer import checkpoint_bytes
from engine.training.precision import Place
from engine.training.prefetch import prefetched
from engine.training.schedule import learning_rate
from engine.training.stepping import Stepped, Stepper, TooLarge
from engine.training.task import Micro, Task
from engine.training.trained import Trained
from engine.training.watch import Watch

# Bad steps in a row that send a run back, and how often that may happen.
MAX_SKIPPED = 3
MAX_ROLLBACKS = 3

_Found = TypeVar("_Found")


class Loop:
    """Trains one task in one run folder, from `progress` on.

    `start_weights` reads the weights that training begins with anew, by their names in the model.
    """

    def __init__(
        self,
        task: Task,
        settings: TrainingSettings,
        place: Place,
        run: Path,
        emit: Callable[[Event], None],
        control: Control,
        facts: Mapping[str, Any],
        start_weights: Callable[[], checkpoint.Tensors],
        earlier: Sequence[EarlierVoice] = (),
    ) -> None:
        self.task = task
        self.settings = settings
        self.place = place
        self.run_folder = run
        self.emit = emit
        self.control = control
        self.facts = facts
        self.progress = Progress()
        self.trained = Trained(task.model, settings, start_weights)
        self.parameters = self.trained.parameters
        self.watch = Watch(place, run, emit, checkpoint_bytes(self.parameters.values(), settings))
        self.stepper = Stepper(
            task, place, [*self.parameters.values()], settings.gradient_clip, self._check
        )
        self.between = Between(control, emit, settings.keep_checkpoints)
        self.forgetting = Forgetting(earlier, run, emit)
        self._saved: Progress | None = None
        self._step_seconds = 0.0

    # --- saving and restoring -------------------------------------------------------------------

    def restore(self, saved: checkpoint.Checkpoint) -> None:
        """Take the state of a verified checkpoint. Raises DamagedError when it does not fit."""
        self.trained.restore(saved)
        self.progress = self._saved = saved.progress

    def save(self) -> None:
        """Commit a checkpoint of the last finished step, then delete what is no longer kept."""
        begun = time.perf_counter()
        snapshot = self.trained.snapshot(self.progress, self.facts)
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
            self.watch.begin()
            with self.place.tuned():
                self._epochs()
        except StopRequested as stop:
            if self.progress.step:
                self._save_once()
            raise StopRequested(stop.reason, self.progress.step) from None
        except torch.OutOfMemoryError as error:
            # Batches that do not fit are halved; this came while the optimizer took its step.
            raise FailedError(counsel.no_room(self.settings)) from error
        done = self.progress.epoch >= self.settings.epochs
        if done and (told := counsel.at_the_end(self.progress.evaluations, self.progress.epoch)):
            self.emit(told)
        return Finished(evaluation.summary(self.progress))

    def _epochs(self) -> None:
        while self.progress.epoch < self.settings.epochs and not self._stalled():
            if self.progress.skipped >= MAX_SKIPPED:
                self._roll_back()
            self._epoch()

    def _stalled(self) -> bool:
        if not patience.is_over(self.progress, self.settings):
            return False
        best = self.progress.best_step
        self.emit(counsel.early_stop(self.settings.early_stop_epochs, best))
        return True

    @property
    def steps_per_epoch(self) -> int:
        """The steps of the present epoch."""
        return len(self._groups())

    def _groups(self) -> list[Sequence[Micro]]:
        """The batches of each step of the present epoch."""
        micros = self.task.epoch(self.progress.epoch)
        size = self.settings.accumulation
        return [micros[i : i + size] for i in range(0, len(micros), size)]

    def _epoch(self) -> None:
        """One epoch, or what is left of it; it ends early when the run has to go back."""
        epoch, groups = self.progress.epoch, self._groups()
        self.emit(Epoch(epoch + 1, self.settings.epochs, len(groups)))
        self._evaluate_in_between(last=self.progress.position == len(groups))
        while self.progress.position < len(groups):
            self._fitting(lambda: self._steps(groups))
            if self.progress.skipped >= MAX_SKIPPED:
                return
        self._evaluate()
        self.progress = replace(self.progress, epoch=epoch + 1, position=0)
        self.save()
        self.watch.epoch_ended(epoch + 1)

    def _steps(self, groups: Sequence[Sequence[Micro]]) -> None:
        """The steps that are left of the epoch, until the run has to go back or batches change."""
        epoch, halvings = self.progress.epoch, self.progress.halvings
        remaining = [
            division.divided(self.task, group, halvings, epoch)
            for group in groups[self.progress.position :]
        ]
        micros = [micro for group in remaining for micro in group]
        with contextlib.closing(prefetched(self.task, micros, epoch)) as batches:
            for group in remaining:
                self._step(group, batches, len(groups))
                self.between.after(self.progress.step, self._save_once)
                if self.progress.skipped >= MAX_SKIPPED:
                    return
                last = self.progress.position == len(groups)
                self._evaluate_in_between(last=last)
                self._save_in_between(last=last)
                if self.progress.halvings != halvings:
                    return

    def _fitting(self, work: Callable[[], _Found]) -> _Found:
        """What `work` gives; when a batch does not fit, all are halved and it is called again."""
        while True:
            try:
                return work()
            except TooLarge as error:
                micro = error.micro
            self._halve(micro)

    def _halve(self, micro: Micro) -> None:
        """Compute from here on with batches half as large. Raises FailedError for a single clip."""
        self.place.empty_cache()
        if len(micro.clips) == 1:
            if self.progress.step:
                self._save_once()
            (clip,) = self.task.clip_names(micro)
            raise FailedError(division.does_not_fit(self.settings, self.place.precision, clip))
        halvings, step = self.progress.halvings + 1, self.progress.step + 1
        self.progress = replace(self.progress, halvings=halvings)
        self.emit(OutOfMemory(step, **division.sizes(self.settings, halvings)))
        self.emit(division.smaller(self.settings, halvings, step))

    def _roll_back(self) -> None:
        """Back to the last good checkpoint, or to the start, with half the learning rate.

        A checkpoint of what it went back to is saved at once, so that a resumed run knows of it.
        """
        if self.progress.rollbacks >= MAX_ROLLBACKS:
            raise FailedError(counsel.given_up(self.settings.learning_rate))
        from_step, rollbacks = self.progress.step, self.progress.rollbacks + 1
        halvings = self.progress.halvings
        if saved := checkpoint.newest_good(self.run_folder, self._check):
            self.restore(saved)
        else:
            self.trained.restart()
            self.progress = Progress()
        self.progress = replace(self.progress, skipped=0, rollbacks=rollbacks, halvings=halvings)
        rate = self._rate(self.steps_per_epoch)
        self.emit(RolledBack(self.progress.step, from_step, rate, rollbacks))
        self.save()
        # Newer ones hold the same weights amid bad steps, and a resumed run would take them.
        checkpoint.remove_after(self.run_folder, self.progress.step)

    def _save_in_between(self, *, last: bool) -> None:
        every = self.settings.save_every_steps
        # The end of the epoch saves by itself. A checkpoint amid bad steps would be no good one.
        due = every and self.progress.step % every == 0
        if due and not last and not self.progress.skipped:
            self._save_once()

    def _save_once(self) -> None:
        if self.progress != self._saved:
            self.save()

    def _check(self) -> None:
        self.control.raise_if_stopped()

    def _step(
        self, group: Sequence[Micro], batches: Iterator[tuple[Any, float]], steps_per_epoch: int
    ) -> None:
        begun = time.perf_counter()
        lr = self._rate(steps_per_epoch)
        done = self.stepper.step(self.trained.optimizer, lr, group, batches, self.progress.scale)
        self._judge(done, group)
        self._count(group, time.perf_counter() - begun)
        # Before `memory_used`, which begins to count anew.
        allocated = self.place.peak_allocated()
        step = Step(
            step=self.progress.step,
            steps=self.progress.step + self._remaining(steps_per_epoch),
            epoch=self.progress.epoch + 1,
            epochs=self.settings.epochs,
            lr=lr,
            grad_norm=done.grad_norm,
            clips=sum(len(m.clips) for m in group),
            audio_seconds=round(sum(m.audio_seconds for m in group), 2),
            seconds=round(time.perf_counter() - begun, 4),
            loader_seconds=round(done.waited, 4),
            eta=round(self._remaining(steps_per_epoch) * self._step_seconds, 1),
            memory=self.place.memory_used(),
            **done.means.fields,
        )
        self.emit(step)
        self.watch.stepped(step, allocated)

    def _rate(self, steps_per_epoch: int) -> float:
        """The learning rate of the next step."""
        rate = learning_rate(
            self.settings,
            self.progress.step,
            self.progress.epoch,
            self.progress.position,
            steps_per_epoch,
            [each.loss for each in self.progress.evaluations],
        )
        return rate * 0.5**self.progress.rollbacks

    def _judge(self, done: Stepped, group: Sequence[Micro]) -> None:
        """Take a step into account that may have been thrown away."""
        step, scale = self.progress.step + 1, self.progress.scale
        if self.place.scales and (done.finite or done.overflowed):
            scale = scale.after(overflowed=done.overflowed)
        skipped = self.progress.skipped
        if done.finite:
            skipped = 0
        elif done.overflowed:
            self.emit(counsel.overflow(step, scale.factor))
        else:
            skipped += 1
            names = [name for micro in group for name in self.task.clip_names(micro)]
            self.emit(counsel.not_finite(step, names))
        self.progress = replace(self.progress, skipped=skipped, scale=scale)

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

    def _evaluate_in_between(self, *, last: bool) -> None:
        every = self.settings.evaluate_every_steps
        due = every and self.progress.position and self.progress.step % every == 0
        # The end of the epoch evaluates by itself; a resumed run may have done this one already.
        newest = self.progress.evaluations[-1:]
        if due and not last and self.progress.step not in [each.step for each in newest]:
            self._evaluate()
            if self.progress.best_step == self.progress.step:
                self.save()

    def _evaluate(self) -> None:
        """Judge the weights on the held-out clips."""
        begun = time.perf_counter()
        found = self._measured(self.task)
        # Before the evaluation is recorded: a stop in here leaves all of it to be done again.
        forgotten = self.forgetting.measure(self._measured)
        self.progress = evaluation.recorded(self.progress, found.loss)
        self.emit(
            Evaluated(
                step=self.progress.step,
                epoch=self.progress.epoch + 1,
                best=self.progress.best_step == self.progress.step,
                seconds=round(time.perf_counter() - begun, 3),
                **found.fields,
            )
        )
        if told := counsel.news(self.progress.evaluations):
            self.emit(told)
        self.forgetting.tell(forgotten, self.progress.step, self.progress.epoch + 1)

    def _measured(self, task: Task) -> Measured:
        """The held-out losses of a task with the weights of now."""
        return self._fitting(
            lambda: evaluation.held_out(
                task, self.place, self._check, halvings=self.progress.halvings
            )
        )

    def measure_earlier_voices(self) -> None:
        """Measure them before anything is trained or restored, unless this run did already."""
        with self.place.tuned():
            self.forgetting.begin(self._measured)
