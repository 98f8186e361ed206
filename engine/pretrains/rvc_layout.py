"""Judges the generators, discriminators and voices of RVC and Applio by their tensors.

The layouts are those of RVC 2.2.231006, and of Applio's vocoders beside HiFi-GAN.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, Literal

from engine.pretrains.content import State, listed, short
from engine.pretrains.facts import Facts, What

# RVC makes 100 frames a second, so the product of the upsampling rates is a hundredth of its rate.
_FRAMES = 100
# Kernels and rates of upsampling; where a kernel is not twice its rate it must be looked up.
_UPSAMPLING = (
    ((16, 16, 4, 4), (10, 10, 2, 2)),
    ((20, 16, 4, 4), (10, 8, 2, 2)),
    ((24, 20, 4, 4), (12, 10, 2, 2)),
    ((16, 16, 4, 4, 4), (10, 4, 2, 2, 2)),
    ((16, 16, 4, 4, 4), (10, 6, 2, 2, 2)),
)
# Bins of the spectrum: 513 up to 32k, 1025 above.
_NARROW_BINS, _NARROW_RATE = 513, 32_000
_VERSIONS: dict[int, Literal["v1", "v2"]] = {256: "v1", 768: "v2"}
_PERIOD_NETS: dict[int, Literal["v1", "v2"]] = {6: "v1", 8: "v2"}
_NET = re.compile(r"[0-9]{1,3}")
_NORMED = re.compile(r"\.weight_[gv]$")
# Weights without the gains and directions of weight norm, by part of a generator: enc_p has one
# more with pitch.
_PARTS = {"enc_p": 112, "enc_q": 70, "flow": 72, "emb_g": 1}
_SCALE_NET = 14
_PERIOD_NET = 12


def with_problems(facts: Facts, problems: Sequence[str], **known: Any) -> Facts:
    """The facts with more problems behind those that it has, and with what else is known."""
    return replace(facts, problems=(*facts.problems, *problems), **known)


def generator(facts: Facts, state: State, declared: Mapping[str, Any]) -> Facts:
    """The facts of a generator or a voice; `declared` is what a voice says of itself."""
    version = _VERSIONS.get(_size(state, "enc_p.emb_phone.weight", 1), "")
    pitch = "enc_p.emb_pitch.weight" in state
    vocoder = _vocoder(state)
    ups = "dec.upsamples" if vocoder == "MRF HiFi-GAN" else "dec.ups"
    kernels = _kernels(state, ups)
    rate = _rate(state, kernels, declared) if vocoder != "RefineGAN" else _declared_rate(declared)
    problems = []
    if not version:
        problems.append("its phone embedding is neither that of RVC v1 (256) nor of v2 (768)")
    if not vocoder:
        problems.append("its decoder is of no known vocoder")
    elif not rate and vocoder != "RefineGAN":
        problems.append(f"its upsampling kernels {_row(kernels)} are of no known rate")
    if pitch and vocoder == "HiFi-GAN" and "dec.m_source.l_linear.weight" not in state:
        problems.append("it reads pitch, and its decoder lacks the source that makes it")
    problems += _contradictions(declared, version=version, rate=rate, pitch=pitch)
    problems += _incomplete(facts.what, state, vocoder, len(kernels), pitch=pitch)
    return with_problems(
        facts,
        problems,
        version=version,
        rate=rate,
        pitch=pitch,
        speakers=_size(state, "emb_g.weight", 0) or None,
        vocoder=vocoder,
    )


def _size(state: State, name: str, axis: int) -> int:
    shape = state[name].shape if name in state else ()
    return int(shape[axis]) if axis < len(shape) else 0


def _vocoder(state: State) -> str:
    parts = {name.split(".")[1] for name in state if name.startswith("dec.")}
    if "ups" in parts:
        return "HiFi-GAN"
    if {"upsamples", "mrfs"} <= parts:
        return "MRF HiFi-GAN"
    return "RefineGAN" if "upsample_conv_blocks" in parts else ""


def _kernels(state: State, prefix: str) -> tuple[int, ...]:
    """The kernel sizes of a row of convolutions, with weight norm or without."""
    found: list[int] = []
    while True:
        stem = f"{prefix}.{len(found)}"
        size = _size(state, f"{stem}.weight_v", 2) or _size(state, f"{stem}.weight", 2)
        if not size:
            return tuple(found)
        found.append(size)


def _rate(state: State, kernels: tuple[int, ...], declared: Mapping[str, Any]) -> int:
    """Hz, or 0. Kernels alone leave the rates of v1 at 32k and 48k open.

    The noise convolutions of a generator with pitch tell them apart (each is twice as wide as what
    is upsampled behind it), else the width of the spectrum, else what an exported voice declares.
    """
    possible: list[tuple[int, ...]] = [rates for known, rates in _UPSAMPLING if known == kernels]
    if not possible and kernels and all(kernel % 2 == 0 for kernel in kernels):
        possible = [tuple(kernel // 2 for kernel in kernels)]
    if noise := _kernels(state, "dec.noise_convs"):
        possible = [rates for rates in possible if _noise_kernels(rates) == noise]
    found = {_FRAMES * prod(rates) for rates in possible}
    if len(found) > 1 and (bins := _size(state, "enc_q.pre.weight", 1)):
        narrow = bins <= _NARROW_BINS
        found = {rate for rate in found if (rate <= _NARROW_RATE) == narrow}
    if len(found) > 1:
        found &= {_declared_rate(declared)}
    return found.pop() if len(found) == 1 else 0


def _noise_kernels(rates: tuple[int, ...]) -> tuple[int, ...]:
    behind = [prod(rates[i + 1 :]) for i in range(len(rates))]
    return tuple(2 * stride - stride % 2 if stride > 1 else 1 for stride in behind)


def _declared_rate(declared: Mapping[str, Any]) -> int:
    """What an exported voice says of itself: the last item of its config, in Hz."""
    config = declared.get("config")
    last = config[-1] if isinstance(config, list) and config else None
    return last if type(last) is int and 0 < last < 1 << 20 else 0


def _contradictions(
    declared: Mapping[str, Any], *, version: str, rate: int, pitch: bool
) -> Iterator[str]:
    said = {"version": declared.get("version"), "rate": _declared_rate(declared) or None}
    f0 = declared.get("f0")
    said["pitch"] = bool(f0) if type(f0) in (bool, int) else None
    seen = {"version": version, "rate": rate, "pitch": pitch}
    for key, value in said.items():
        if value is not None and seen[key] not in ("", 0) and value != seen[key]:
            yield f"it says that its {key} is {short(value)}, its tensors say {seen[key]}"


def _row(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "(none)"


def _incomplete(what: What, state: State, vocoder: str, ups: int, *, pitch: bool) -> Iterator[str]:
    """What is missing of a generator: RVC's loaders leave random values in its place."""
    expected = dict(_PARTS) | {"enc_p": _PARTS["enc_p"] + pitch}
    if what == "voice":
        del expected["enc_q"]
    if vocoder == "HiFi-GAN":
        # conv_pre, cond and conv_post; a row of ups and three of resblocks; source and noise.
        expected["dec"] = 5 + ups * (2 + 3 * 12) + (2 + 2 * ups) * pitch
    elif vocoder == "MRF HiFi-GAN":
        expected["dec"] = 8 + ups * (2 + 2 + 3 * 12)
    yield from _missing(state, expected, depth=1)


def _missing(state: State, expected: Mapping[str, int], *, depth: int) -> Iterator[str]:
    whole = {_NORMED.sub(".weight", name) for name in state}
    found = Counter(".".join(name.split(".")[:depth]) for name in whole)
    for part, count in expected.items():
        if found[part] < count:
            yield f"{part} has {found[part]} of its {count} weights"
    halves = [
        name
        for name in state
        if _NORMED.search(name) and f"{name[:-1]}{'v' if name.endswith('g') else 'g'}" not in state
    ]
    yield from listed(halves, "halves of weight norms lack the other", "half a weight norm")


def discriminator(facts: Facts, state: State) -> Facts:
    """The facts of a discriminator.

    It has a scale net, then period nets with kernels of width 1, then the nets of
    RefineGAN, if any.
    """
    numbers = {name.split(".")[1] for name in state}
    nets = sorted(int(number) for number in numbers if _NET.fullmatch(number))
    flat = [net for net in nets if _first_kernel(state, net)[1:] == (1,)]
    wide = [net for net in nets if len(_first_kernel(state, net)) == 2 and net not in flat]
    refine = bool(wide)
    version = "" if refine else _PERIOD_NETS.get(len(flat), "")
    problems = []
    if not version and not refine:
        problems.append(
            f"it has {len(flat)} period nets, and RVC v1 has 6, v2 has 8; an incomplete or foreign one"
        )
    expected = {f"discriminators.{net}": _PERIOD_NET for net in nets}
    problems += _missing(state, expected | {"discriminators.0": _SCALE_NET}, depth=2)
    return with_problems(facts, problems, version=version, vocoder="RefineGAN" if refine else "")


def _first_kernel(state: State, net: int) -> tuple[int, ...]:
    stem = f"discriminators.{net}.convs.0.weight"
    tensor = state.get(f"{stem}_v", state.get(stem))
    return tuple(tensor.shape[2:]) if tensor is not None else ()
