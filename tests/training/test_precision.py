"""Number formats: which are refused, what they set of torch, and the scale of fp16."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_xtts import hex_losses, make_loop

from engine.control import Control
from engine.errors import SettingError, StopRequested
from engine.events import Event, Note, RolledBack, Step, Warned
from engine.training import checkpoint, precision
from engine.training.precision import Place
from engine.training.scaling import Scale

CPU = torch.device("cpu")


class Scaled(Place):
    """Scales its losses and computes in fp32: a CPU takes ages for fp16."""

    @property
    def scales(self) -> bool:
        return True


SCALED = Scaled(CPU, "fp32")


@pytest.mark.parametrize("name", ["tf32", "fp16"])
def test_what_a_cpu_lacks_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingError, match=f"precision is {name}, which the CPU lacks.*fp32, bf16"):
        precision.choose("cpu", name)


@pytest.mark.parametrize(
    ("capability", "has_bf16", "auto", "known"),
    [
        ((7, 5), False, "fp32", {"fp32", "fp16"}),
        ((8, 6), True, "bf16", {"fp32", "tf32", "bf16", "fp16"}),
    ],
)
def test_a_card_has_what_its_generation_has(
    monkeypatch: pytest.MonkeyPatch,
    capability: tuple[int, int],
    has_bf16: bool,
    auto: str,
    known: set[str],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_bf16)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "A Card")
    assert precision.choose("auto", "auto") == Place(torch.device("cuda"), auto)
    for name in ("fp32", "tf32", "bf16", "fp16"):
        if name in known:
            assert precision.choose("cuda", name).precision == name
        else:
            with pytest.raises(SettingError, match=f"{name}, which A Card lacks"):
                precision.choose("cuda", name)


@pytest.mark.parametrize("name", ["fp32", "tf32"])
def test_tf32_is_set_while_a_loop_runs_and_put_back(name: str) -> None:
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn

    def now() -> tuple[bool, bool]:
        return products.allow_tf32, convolutions.allow_tf32

    before = now()
    with Place(CPU, name).tuned():
        assert now() == ((True, True) if name == "tf32" else (False, False))
    assert now() == before


def test_the_scale_falls_with_overflows_and_grows_again() -> None:
    scale = Scale()
    for _ in range(20):
        scale = scale.after(overflowed=True)
    assert scale == Scale(1.0, 0)
    assert not scale.can_fall
    for _ in range(2_000):
        scale = scale.after(overflowed=False)
    assert scale == Scale(2.0, 0)
    assert scale.after(overflowed=False).after(overflowed=True) == Scale(1.0, 0)


def _run(folder: Path, base: Path, features: Any, **changed: Any) -> tuple[Any, list[Event]]:
    events: list[Event] = []
    loop = make_loop(
        folder, base, features, emit=events.append, **{"place": SCALED, "dropout": 0.0} | changed
    )
    return loop, events


def _steps(events: list[Event]) -> list[Step]:
    return [event for event in events if isinstance(event, Step)]


def test_scaled_losses_train_as_unscaled_ones(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    found = []
    for place in (Place(CPU, "fp16"), Place(CPU, "fp32")):
        loop, events = _run(
            tmp_path / place.precision, tiny_base, toy_features, place=place, epochs=1,
            accumulation=2,
        )  # fmt: skip
        emit = loop.emit
        # One step tells; a CPU takes its time for fp16.
        loop.emit = lambda event, loop=loop, emit=emit: (
            emit(event),
            loop.control.stop("SIGTERM") if isinstance(event, Step) else None,
        )
        with pytest.raises(StopRequested):
            loop.run()
        found.append(_steps(events))
    for half, whole in zip(*found, strict=True):
        assert half.loss == pytest.approx(whole.loss, rel=2e-3)
        # The norm is that of the gradients, not of the scaled ones.
        assert half.grad_norm == pytest.approx(whole.grad_norm, rel=0.03)


def _overflowing(loop: Any, above: float) -> None:
    """Gradients without a number as long as the scale is above a factor; the losses have one."""
    compute = loop.task.sums

    class Overflow(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
            return value.clone()

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
            bad = loop.progress.scale.factor > above
            return gradient * math.inf if bad else gradient

    loop.task.sums = lambda batch: {k: Overflow.apply(v) for k, v in compute(batch).items()}


def test_an_overflow_lowers_the_scale_and_is_no_bad_step(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    """Also when there are more of them in a row than bad steps are borne; a resume is exact."""
    loop, events = _run(tmp_path / "straight", tiny_base, toy_features)
    before = {name: p.detach().clone() for name, p in loop.parameters.items()}
    _overflowing(loop, 65_536 / 2**4)
    changed_at = []
    emit = loop.emit

    def watch(event: Event) -> None:
        emit(event)
        if isinstance(event, Step) and any(
            not torch.equal(p, before[name]) for name, p in loop.parameters.items()
        ):
            changed_at.append(event.step)

    loop.emit = watch
    loop.run()
    assert changed_at[0] == 5, "four steps were left out"
    assert [n.code for n in events if isinstance(n, Note)][:4] == ["overflow"] * 4
    assert not [e for e in events if isinstance(e, Warned | RolledBack)]
    assert loop.progress.scale == Scale(4096.0, 4)

    again: list[Event] = []
    control = Control()

    def stop(event: Event) -> None:
        again.append(event)
        if isinstance(event, Step) and event.step == 2:
            control.stop("SIGTERM")

    run = tmp_path / "stopped"
    for step in (2, None):
        resumed = make_loop(
            run, tiny_base, toy_features, emit=stop, place=SCALED, dropout=0.0,
            control=control if step else None,
        )  # fmt: skip
        _overflowing(resumed, 65_536 / 2**4)
        if step:
            with pytest.raises(StopRequested):
                resumed.run()
        else:
            found = checkpoint.newest(run, lambda: None)
            assert found is not None
            resumed.restore(found[0])
            assert resumed.progress.scale == Scale(16_384.0, 0)
            resumed.run()
    assert hex_losses(again) == hex_losses(events)
    assert resumed.progress.scale == loop.progress.scale


def test_an_overflow_at_a_scale_of_one_is_a_bad_step(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    loop, events = _run(tmp_path, tiny_base, toy_features, epochs=1)
    loop.progress = checkpoint.Progress(scale=Scale(2.0))
    bad = 3
    _overflowing(loop, 0.5)
    steps = 0
    emit = loop.emit

    def watch(event: Event) -> None:
        nonlocal steps
        emit(event)
        steps += isinstance(event, Step)
        if steps == bad:
            loop.control.stop("SIGTERM")

    loop.emit = watch
    with pytest.raises(StopRequested):
        loop.run()
    assert [type(e).__name__ for e in events if isinstance(e, Note | Warned)] == [
        "Note", "Warned", "Warned",
    ]  # fmt: skip
    assert loop.progress.skipped == 2
