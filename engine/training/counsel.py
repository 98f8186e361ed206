"""What a run says to a person about its held-out losses, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.events import Event, Note, Warned
from engine.settings import TrainingSettings
from engine.training.checkpoint import Evaluation
from engine.training.verdict import Verdict, judge

# A verdict that the losses wavered away from only lately is not told again.
_LATELY = 5
_TOLD = ("flat", "rising", "diverging", "broken")


def news(evaluations: Sequence[Evaluation]) -> Warned | None:
    """What to tell after the newest evaluation; None while all is well or was told lately."""
    losses = _losses(evaluations)
    verdict = judge(losses)
    before = {judge(losses[: len(losses) - back]).kind for back in range(1, _LATELY + 1)}
    if verdict.kind not in _TOLD or verdict.kind in before:
        return None
    return _warning(verdict, evaluations)


def at_the_end(evaluations: Sequence[Evaluation], epochs: int) -> Event | None:
    """What to tell at the end of `epochs` epochs: whether more of them would help."""
    kind = judge(_losses(evaluations)).kind
    if kind not in ("falling", "slow"):
        return None
    how = "still falling: more epochs will help" if kind == "falling" else (
        "still falling slowly: more epochs will help a little; let the voice speak to judge"
    )  # fmt: skip
    return Note(
        "still_falling",
        f"The held-out loss was {how}. Go on with "
        f"'voicetui train DIR --more {max(1, epochs // 2)}', or c in the console.",
    )


def not_finite(step: int, clips: Sequence[str]) -> Warned:
    """What to tell of a step that was thrown away, and of the clips in it."""
    return Warned(
        "not_finite",
        f"Step {step} gave a loss or gradient that is not a number (clips {', '.join(clips)}).",
        "The step was thrown away; the weights did not change.",
        "Look at these clips. If it goes on, lower training.learning_rate.",
    )


def overflow(step: int, factor: float) -> Note:
    """What to tell of a step whose gradients were too large for fp16."""
    return Note(
        "overflow",
        f"The gradients of step {step} were too large for fp16. The step was left out, and the "
        f"losses are scaled by {factor:g} from here on; at the start of a run that is usual.",
    )


def no_room(settings: TrainingSettings) -> str:
    """Why a run ends whose optimizer does not fit."""
    smaller = "" if settings.optimizer == "sgd" else ", take optimizer=sgd, which keeps less,"
    return (
        "The memory of the GPU is too small for the network, its gradients and what the optimizer "
        f"{settings.optimizer} keeps, whatever the batch. End other programs on the GPU (nvidia-smi "
        f"lists them){smaller} or train on the CPU with --set device=cpu. 'voicetui train' goes on "
        "from the last checkpoint; settings that changed need --inexact."
    )


def early_stop(epochs: int, best_step: int | None) -> Note:
    """What to tell of a run that ends because it no longer gets better."""
    return Note(
        "early_stop",
        f"No better held-out loss for {epochs} epochs; the best is step {best_step}. Training ends "
        "here.",
    )


def given_up(learning_rate: float) -> str:
    """Why a run ends that was sent back again and again."""
    return (
        "Again 3 steps in a row were not finite, though the run went back to what was good and "
        "halved its learning rate each time. The weights and any checkpoint are those from before. "
        "Look at the clips that the warnings name, then train again with "
        f"'--inexact --set learning_rate={learning_rate / 10:g}', or with precision=fp32."
    )


def _losses(evaluations: Sequence[Evaluation]) -> list[float]:
    return [math.nan if each.loss is None else each.loss for each in evaluations]


def _warning(verdict: Verdict, evaluations: Sequence[Evaluation]) -> Warned:
    since = evaluations[verdict.since_index]
    best = "No evaluation gave a number"
    if verdict.best_index is not None:
        best = f"The best is step {evaluations[verdict.best_index].step}, and it is kept"
    match verdict.kind:
        case "flat":
            return Warned(
                "plateau",
                f"The held-out loss has stood still since step {since.step}.",
                f"With these clips and this rate there is little left to learn. {best}.",
                "Let the best checkpoint speak. Stop here, or let early_stop_epochs end such runs; "
                "half the learning_rate or more recordings may give a better one.",
            )
        case "rising":
            return Warned(
                "overtraining",
                f"The held-out loss has risen since step {since.step}.",
                "The network begins to learn its clips by heart, and will speak new sentences "
                f"worse. {best}.",
                "Stop, and export the best. Next time: fewer epochs or early_stop_epochs=3, a "
                "higher dropout, a lower learning_rate, more varied recordings.",
            )
        case "diverging":
            return Warned(
                "diverging",
                "The held-out loss is far above the one at the start.",
                f"The steps are too long: each one spoils what the last one learned. {best}.",
                "Stop, and begin again with '--fresh' and a tenth of the learning_rate.",
            )
    return Warned(
        "evaluation_not_finite",
        f"The held-out loss after step {evaluations[-1].step} is not a number.",
        f"The weights of now are of no use. {best}.",
        "Stop, and begin again with '--fresh' and half the learning_rate, or with precision=fp32.",
    )
