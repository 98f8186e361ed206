"""What a training tells, as plain lines."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from engine import events
from engine.text import clean
from engine.training.contradictions import LOOKED_AT
from voicetui.amounts import duration, size
from voicetui.plain_preparation import counted

# Settings are listed in lines of at most so many characters.
_WIDTH = 100


def told(event: events.Event, before: events.Evaluated | None = None) -> list[str]:
    """The lines of one event, safe for any terminal; none when it is not one of these.

    `before` is the evaluation before this one.
    """
    match event:
        case events.SettingsEcho():
            return _settings(event.values)
        case events.Device():
            return [_device(event)]
        case events.FilesFound():
            return [f"found {event.count} {clean(event.what)} in {clean(event.folder)}"]
        case events.Samples():
            train, held = duration(event.train_seconds), duration(event.eval_seconds)
            return [
                f"{counted(event.train, 'clip')} to train on ({train}), "
                f"{event.eval} held out ({held})"
            ]
        case events.Parameters():
            return [f"{event.trained:,} parameters are trained, {event.frozen:,} are frozen"]
        case events.Lineage():
            return _lineage(event)
        case events.Planned():
            return plan_lines(event)
        case events.Epoch():
            return [f"epoch {event.epoch}/{event.epochs}  {counted(event.steps, 'step')}"]
        case events.Evaluated():
            return [_evaluation(event, before)]
        case events.VoiceEvaluated():
            return [_earlier_voice(event)]
        case events.Saved():
            best = "  best so far" if event.best else ""
            cost = f"{size(event.bytes)} in {event.seconds:.1f} s"
            return [f"saved {clean(event.checkpoint)}  {cost}{best}"]
        case events.Resumed():
            lines = [f"goes on from {clean(event.checkpoint)}, step {event.step}"]
            if event.passed_over:
                listed = ", ".join(clean(name) for name in event.passed_over)
                lines.append(f"damaged and passed over: {listed}")
            return lines
        case events.RolledBack():
            return [
                f"went back from step {event.from_step} to step {event.step}; goes on with half "
                f"the learning rate, {event.learning_rate:.1e}"
            ]
        case events.Paused():
            return [f"paused at step {event.step}; go on with 'voicetui resume DIR'"]
        case events.Continued():
            return [f"goes on at step {event.step}"]
    return []


def step_line(event: events.Step) -> str:
    """One optimiser step; what is looked at seldom comes last."""
    clips = f"  {event.clips / event.seconds:.1f} clips/s" if event.seconds > 0 else ""
    audio = f"  {event.audio_seconds / event.seconds:.1f} s of audio/s" if event.seconds > 0 else ""
    memory = f"  memory {size(event.memory)}" if event.memory else ""
    return (
        f"epoch {event.epoch}/{event.epochs}  step {event.step}/{event.steps}  "
        f"loss {event.loss:.3f} (text {event.loss_text_ce:.3f}, mel {event.loss_mel_ce:.3f})  "
        f"lr {event.lr:.1e}{clips}  ETA {duration(event.eta)}  gradient {event.grad_norm:.3g}  "
        f"took {event.seconds:.2f} s, loader {event.loader_seconds:.2f} s{audio}{memory}"
    )


def plan_lines(event: events.Planned) -> list[str]:
    """A measured plan, safe for any terminal."""
    batch = f"batch_size={event.batch_size}"
    if event.batch_tokens:
        batch = f"batch_tokens={event.batch_tokens}"
    wanted = f"{event.wanted_batch_size} x {event.wanted_accumulation}"
    return [
        f"plan  {batch} accumulation={event.accumulation}  for a batch of {wanted}, "
        f"{size(event.needed_bytes)} of {size(event.free_bytes)} free",
        f"network, gradients and optimizer take {size(event.fixed_bytes)}, each clip of "
        f"{event.longest_seconds:.1f} s {size(event.clip_bytes)} more ({clean(event.precision)})",
        clean(event.why),
    ]


def _settings(values: Mapping[str, Any]) -> list[str]:
    """The settings as --set takes them, those of scheduler and optimizer behind these."""
    chosen: dict[str, list[str]] = {chooser: [] for chooser, _ in LOOKED_AT.values()}
    others: list[str] = []
    for name, value in values.items():
        chooser, choices = LOOKED_AT.get(name, ("", ()))
        if values.get(chooser) in choices:
            chosen[chooser].append(_assigned(name, value))
        elif not chooser and name not in chosen:
            others.append(_assigned(name, value))
    lines = textwrap.wrap(f"settings  {' '.join(others)}", _WIDTH)
    for chooser, details in chosen.items():
        if chooser in values:
            lines.append(" ".join([_assigned(chooser, values[chooser]), *details]))
    return lines


def _assigned(name: object, value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{clean(str(name))}={clean(text.lower() if isinstance(value, bool) else text)}"


def _device(event: events.Device) -> str:
    parts = [f"runs on {clean(event.device)} ({clean(event.name)})"]
    parts.append(f"{size(event.memory_free)} of {size(event.memory_total)} free")
    if event.precision:
        parts.append(f"{'mixed precision ' if event.mixes else ''}{clean(event.precision)}")
    if event.cuda:
        parts.append(f"CUDA {clean(event.cuda)}")
    if event.backend:
        parts.append(clean(event.backend))
    counts = ((event.threads, "thread"), (event.cpus, "CPU"), (event.gpus, "GPU"))
    return ", ".join([*parts, *(counted(count, what) for count, what in counts if count)])


def _evaluation(event: events.Evaluated, before: events.Evaluated | None) -> str:
    def with_change(now: float, earlier: float | None) -> str:
        change = f" ({now - earlier:+.3f})" if earlier is not None else ""
        return f"{now:.3f}{change}"

    loss = with_change(event.loss, before.loss if before else None)
    text = with_change(event.loss_text_ce, before.loss_text_ce if before else None)
    mel = with_change(event.loss_mel_ce, before.loss_mel_ce if before else None)
    best = "  BEST MODEL" if event.best else ""
    return f"EVAL PERFORMANCE  epoch {event.epoch}  loss {loss}  text {text}  mel {mel}{best}"


def _earlier_voice(event: events.VoiceEvaluated) -> str:
    if not event.step:
        clips = counted(event.clips, "clip")
        return f"earlier voice {clean(event.voice)}  loss {event.loss:.3f} at the start ({clips})"
    return (
        f"earlier voice {clean(event.voice)}  loss {event.loss:.3f} ({event.change:+.3f} since the "
        "start)"
    )


def _lineage(event: events.Lineage) -> list[str]:
    told = [
        f"{clean(name)} ({counted(count, 'epoch')})"
        for name, count in event.epochs.items()
        if isinstance(count, int)
    ]
    return [f"the base has learned {', '.join(told)}"] if told else []
