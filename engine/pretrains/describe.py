"""Judges tensors by their names, shapes, types and values: what they are and what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from engine.pretrains import rvc_layout
from engine.pretrains.content import Content, State, listed, short
from engine.pretrains.facts import Facts, What

if TYPE_CHECKING:
    import torch

_PRECISIONS = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float64": "fp64"}
_NEW_NORM = {"original0": "weight_g", "original1": "weight_v"}
_MEL_BANDS = 80
_SAID_AT_MOST = 8
_CHUNK = 1 << 24
# Beyond it, JSON's readers do not agree on a number.
_LARGEST = 1 << 53


def old_name(name: str) -> str:
    """A tensor's name with weight norm as RVC and Applio read it: `weight_g` and `weight_v`.

    torch's newer weight norm writes `parametrizations.weight.original0` and `original1`.
    """
    before, found, which = name.rpartition(".parametrizations.weight.")
    return f"{before}.{_NEW_NORM[which]}" if found and which in _NEW_NORM else name


def describe(content: Content) -> Facts:
    """The facts of a file that was read; all values are looked at."""
    state = {old_name(name): tensor for name, tensor in content.state.items()}
    what = _what(state)
    facts = Facts(
        what=what,
        tensors=len(state),
        parameters=sum(tensor.numel() for tensor in state.values()),
        bytes=sum(tensor.nbytes for tensor in state.values()),
        precision=_precision(state),
        iteration=_iteration(content),
        leftovers=tuple(_leftovers(content.beside)),
        problems=(*_odd(content), *_bad_values(state)),
    )
    if what in ("generator", "voice"):
        return rvc_layout.generator(facts, state, content.declared)
    if what == "discriminator":
        return rvc_layout.discriminator(facts, state)
    if what == "other" and state:
        unknown = "it is no pretrain, no voice of RVC and no part of an XTTS base"
        return rvc_layout.with_problems(facts, [unknown])
    return facts


def _what(state: State) -> What:
    parts = {name.partition(".")[0] for name in state}
    if "enc_p.emb_phone.weight" in state and "dec" in parts:
        return "generator" if "enc_q" in parts else "voice"
    if state and all(name.startswith("discriminators.") for name in state):
        return "discriminator"
    bare = {name.removeprefix("xtts.") for name in state}
    if {"gpt.text_embedding.weight", "gpt.mel_embedding.weight"} <= bare:
        return "xtts model"
    if {"codebook.embed", "encoder.0.0.weight"} <= set(state):
        return "xtts dvae"
    if len(state) == 1 and [tuple(tensor.shape) for tensor in state.values()] == [(_MEL_BANDS,)]:
        return "xtts mel stats"
    if state and all(name.endswith((".gpt_cond_latent", ".speaker_embedding")) for name in state):
        return "xtts speakers"
    return "other"


def _precision(state: State) -> str:
    bytes_of: Counter[str] = Counter()
    for tensor in state.values():
        if tensor.is_floating_point():
            name = str(tensor.dtype).removeprefix("torch.")
            bytes_of[_PRECISIONS.get(name, name)] += tensor.nbytes
    return " and ".join(name for name, _ in bytes_of.most_common())


def _iteration(content: Content) -> int | None:
    """RVC counts epochs in what it calls the iteration; a voice says "123epoch" or `epoch`."""
    for value in (content.beside.get("iteration"), content.declared.get("epoch")):
        if type(value) is int and 0 <= value < _LARGEST:
            return value
    said = re.fullmatch(r"([0-9]{1,9})epoch", str(content.declared.get("info", "")))
    return int(said[1]) if said else None


def _leftovers(beside: Mapping[str, Any]) -> Iterator[str]:
    for key, value in list(beside.items())[:_SAID_AT_MOST]:
        plain = type(value) in (int, float) and abs(value) < _LARGEST
        yield f"{short(key).replace('_', ' ')}{f' {value:.12g}' if plain else ''}"
    if len(beside) > _SAID_AT_MOST:
        yield f"{len(beside) - _SAID_AT_MOST} more"


def _odd(content: Content) -> Iterator[str]:
    yield from listed(content.odd, "entries are no tensors", "an entry is no tensor")


def _bad_values(state: State) -> Iterator[str]:
    if not state:
        yield "it holds no tensors"
    empty = [name for name, tensor in state.items() if not tensor.numel()]
    yield from listed(empty, "tensors are empty", "a tensor is empty")
    wrong = [name for name, tensor in state.items() if not _is_finite(tensor)]
    spreads = "NaN or infinite values, which training spreads to all others"
    yield from listed(wrong, f"tensors hold {spreads}", f"a tensor holds {spreads}")


def _is_finite(tensor: torch.Tensor) -> bool:
    """Whether all values are numbers, looked at in pieces, which take little memory."""
    import torch

    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    # torch compares the types of 8 bits only as others.
    as_they_are = tensor.itemsize > 1
    return all(
        bool(torch.isfinite(piece if as_they_are else piece.float()).all())
        for piece in torch.split(tensor.reshape(-1), _CHUNK)
    )
