"""Settings that contradict each other: told by name before the first step."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import SettingError
from engine.events import Warned
from engine.settings import SETTINGS, TrainingSettings
from engine.training.schedule import milestones

# The XTTS fine-tuning guide ("Learning Rate and Schedulers") calls rates from here on unstable.
HIGH_RATE = 1e-3

_FALLING = ("cosine_restarts", "cosine", "step", "multi_step", "exponential", "plateau")
# What looks at a setting: another setting and its choices. All else would pass over it in silence.
LOOKED_AT = {
    "restart_epochs": ("scheduler", ("cosine_restarts",)),
    "restart_growth": ("scheduler", ("cosine_restarts",)),
    "decay_epochs": ("scheduler", ("cosine", "step", "exponential")),
    "decay_factor": ("scheduler", ("step", "multi_step", "exponential", "plateau")),
    "milestones": ("scheduler", ("multi_step",)),
    "plateau_patience": ("scheduler", ("plateau",)),
    "final_learning_rate": ("scheduler", _FALLING),
    "momentum": ("optimizer", ("sgd",)),
    "weight_decay": ("optimizer", ("adamw", "sgd", "rmsprop")),
}


def check(settings: TrainingSettings) -> None:
    """Raises SettingError for the first settings that contradict each other."""
    for message in _found(settings):
        raise SettingError(message)


def _found(settings: TrainingSettings) -> Iterator[str]:
    for name, (by, choices) in LOOKED_AT.items():
        chosen, value = getattr(settings, by), getattr(settings, name)
        usual = SETTINGS[f"training.{name}"].default
        # Zero asks for nothing that could be missed.
        if chosen not in choices and value and value != usual:
            yield (
                f"training.{name} is {value}, but training.{by} is {chosen}, which does not use "
                f"it. Set {name}={usual}, or {by} to {_either(choices)}."
            )
    if settings.scheduler == "multi_step":
        yield from _wrong_milestones(settings)
    if settings.scheduler != "constant" and settings.final_learning_rate > settings.learning_rate:
        yield (
            f"training.final_learning_rate ({settings.final_learning_rate:g}) is above "
            f"training.learning_rate ({settings.learning_rate:g}), and {settings.scheduler} only "
            f"lowers the rate. Set final_learning_rate={settings.learning_rate / 5:g}, or a higher "
            "learning_rate."
        )
    if not settings.text_loss_weight and not settings.mel_loss_weight:
        yield (
            "training.text_loss_weight and training.mel_loss_weight are both 0, so there is "
            "nothing to learn. Set mel_loss_weight=1."
        )


def _wrong_milestones(settings: TrainingSettings) -> Iterator[str]:
    epochs = milestones(settings)
    half = max(1, settings.epochs // 2)
    if not epochs:
        yield (
            "training.scheduler is multi_step, but training.milestones names no epochs. Set for "
            f"example milestones={half}."
        )
    elif epochs[0] >= settings.epochs:
        yield (
            f"training.milestones begins at epoch {epochs[0]}, but training.epochs is "
            f"{settings.epochs}: the rate would never fall. Set for example milestones={half}."
        )


def check_length(settings: TrainingSettings, steps_per_epoch: int) -> None:
    """Raises SettingError when the warm-up is as long as the whole run, or longer."""
    steps = settings.epochs * steps_per_epoch
    if settings.warmup_steps >= steps:
        raise SettingError(
            f"training.warmup_steps is {settings.warmup_steps}, but the run has {steps} steps "
            f"(training.epochs={settings.epochs}), so it would end before its full rate. Set "
            f"warmup_steps={steps // 10}, or more epochs."
        )


def check_batch(settings: TrainingSettings, clips: int) -> None:
    """Raises SettingError when a batch is larger than what there is to train on."""
    if not settings.batch_tokens and settings.batch_size > clips:
        raise SettingError(
            f"training.batch_size is {settings.batch_size}, but there are only {clips} clips to "
            f"train on. Set batch_size={max(1, clips // 2)} or less, or add recordings and run "
            "'voicetui prepare'."
        )


def small_data(settings: TrainingSettings, clips: int) -> Warned | None:
    """What to tell when a step takes more clips than there are."""
    together = settings.batch_size * settings.accumulation
    if settings.batch_tokens or together <= clips:
        return None
    return Warned(
        "batch_over_data",
        f"batch_size x accumulation is {together}, but there are only {clips} clips to train on.",
        "Each epoch is a single step, so the voice learns little in an epoch.",
        f"Set accumulation={max(1, clips // (2 * settings.batch_size))}, or add recordings.",
    )


def warnings(settings: TrainingSettings) -> Iterator[Warned]:
    """What is allowed and seldom meant."""
    if settings.learning_rate >= HIGH_RATE:
        yield Warned(
            "high_rate",
            f"learning_rate is {settings.learning_rate:g}.",
            f"From {HIGH_RATE:g} on training is fast and often unstable: losses jump, or end as "
            "no numbers.",
            "Watch the first epochs closely, or begin again with learning_rate=1e-5.",
        )


def _either(choices: tuple[str, ...]) -> str:
    return " or ".join((", ".join(choices[:-1]), choices[-1])) if len(choices) > 1 else choices[0]
