"""Weights files with random faults, from a seed: what a bad disk, or somebody's patience, makes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from helpers_pretrains import tensors_of, write_state

_SHAPES = {"enc_p.emb_phone.weight": (2, 768), "dec.ups.0.weight_v": (4, 2, 16), "a": (3,)}


def originals(folder: Path) -> list[bytes]:
    """A small file of each format."""
    found = []
    for name, old in (("zip.pth", False), ("stream.pth", True), ("plain.safetensors", False)):
        write_state(folder / name, _SHAPES, old_format=old, leftovers=True)
        found.append((folder / name).read_bytes())
    assert tensors_of(_SHAPES)
    return found


def mutations(folder: Path, count: int, seed: int) -> Iterator[bytes]:
    """`count` files with one to four faults each; most faults fall into the first 4 kB or the last."""
    files = originals(folder)
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(files))
        for _ in range(chance.randint(1, 4)):
            _spoil(data, chance)
        yield bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    kind = chance.random()
    if kind < 0.5:
        return chance.randrange(min(4096, len(data)) or 1)
    if kind < 0.8:
        return max(0, len(data) - 1 - chance.randrange(1024))
    return chance.randrange(len(data) or 1)


def _spoil(data: bytearray, chance: random.Random) -> None:
    at, length = _place(data, chance), chance.choice((1, 1, 1, 2, 4, 8, 64))
    fault = chance.choice(("bit", "byte", "extreme", "cut", "insert", "double", "erase", "swap"))
    if fault == "bit" and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif fault == "byte":
        data[at : at + length] = chance.randbytes(length)
    elif fault == "extreme":
        data[at : at + length] = bytes([chance.choice((0, 0x7F, 0x80, 0xFF))]) * length
    elif fault == "cut" and chance.random() < 0.3:
        del data[at:]
    elif fault == "insert":
        data[at:at] = chance.randbytes(length)
    elif fault == "double":
        data[at:at] = data[at : at + 16 * length]
    elif fault == "erase":
        del data[at : at + length]
    elif fault == "swap":
        other = _place(data, chance)
        data[at : at + length], data[other : other + length] = (
            data[other : other + length],
            data[at : at + length],
        )
