"""Files that ask for more than they hold, spoilt safetensors, and objects that are no tensors."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from corpus_parts import (
    Case,
    call,
    glob,
    good,
    group,
    number,
    put,
    records_of,
    safetensors,
    stream,
    table,
    tensor,
    whole,
    write,
    zipped,
)


def bomb_cases() -> Iterator[Case]:
    """Files of a few kB that ask for much memory or time."""
    large = 10**12
    bodies = {
        "shape of 1e12": tensor((large,)),
        "shape of 1e6 x 1e6": tensor((10**6, 10**6), (10**6, 1)),
        "stride 0": tensor((10**6, 10**6), (0, 0)),
        "stride 0, small": tensor((5,), (0,)),
        "storage of 1e12": tensor((4,), held=large),
        "storage and shape of 1e12": tensor((large,), held=large),
        "storage a little too large": tensor((5,), held=5),
        "negative size": tensor((-4,)),
        "negative stride": tensor((4,), (-1,)),
        "negative offset": tensor((4,), offset=-4),
        "far offset": tensor((4,), offset=large),
        "torch.FloatTensor(1e12)": call(glob("torch.FloatTensor"), number(large)),
        "torch.Tensor(1e6, 1e6)": call(glob("torch.Tensor"), number(10**6), number(10**6)),
        "UntypedStorage(1e12)": call(glob("torch.storage.UntypedStorage"), number(large)),
        "bytearray(1e12)": call(glob("builtins.bytearray"), number(large)),
        "meta tensor": call(
            glob("torch._utils._rebuild_meta_tensor_no_storage"),
            glob("torch.float32"), group(number(large)), group(number(1)), b"\x89",
        ),
    }  # fmt: skip
    for name, body in bodies.items():

        def in_zip(path: Path, marker: Path, body: bytes = body) -> None:
            put(path, whole(table(model=table(weight=body))))

        yield Case("bomb", f"{name}, zip", in_zip)
    old_bodies = {
        "shape of 1e12": tensor((large,), old=True),
        "shape of 1e8": tensor((10**8,), old=True),
        "stride 0": tensor((10**6, 10**6), (0, 0), old=True),
        "storage of 1e12": tensor((4,), held=large, old=True),
        "storage of 1e8": tensor((4,), held=10**8, old=True),
        "storage and shape of 1e12": tensor((large,), held=large, old=True),
    }
    for name, body in old_bodies.items():

        def in_stream(path: Path, marker: Path, body: bytes = body) -> None:
            tail = struct.pack("<q4f", 4, 1, 2, 3, 4)
            stream(path, whole(table(model=table(weight=body))), ("0",), tail)

        yield Case("bomb", f"{name}, stream", in_stream)

    def keys(path: Path, marker: Path) -> None:
        entries = b"".join(b"U\x06%06dN" % number for number in range(10**6))
        put(path, whole(b"}(" + entries + b"u"))

    def keys_in_a_stream(path: Path, marker: Path) -> None:
        entries = b"".join(b"U\x06%06dN" % number for number in range(10**6))
        stream(path, whole(b"}(" + entries + b"u"))

    def nested(path: Path, marker: Path) -> None:
        put(path, whole(b"]" * 100_000 + b"a" * 99_999))

    def long_name(path: Path, marker: Path) -> None:
        put(path, whole(b"}X" + struct.pack("<I", 0xFFFFFFF0) + b"abcNs"))

    def deflated(path: Path, marker: Path) -> None:
        records = records_of(good(), {"0": bytes(100 << 20)})
        zipped(path, records, zipfile.ZIP_DEFLATED)

    def lzma(path: Path, marker: Path) -> None:
        zipped(path, records_of(good(), {"0": bytes(1 << 20)}), zipfile.ZIP_LZMA)

    def bzip2(path: Path, marker: Path) -> None:
        zipped(path, records_of(good(), {"0": bytes(1 << 20)}), zipfile.ZIP_BZIP2)

    def many_views(path: Path, marker: Path) -> None:
        views = {f"w{i}": tensor((200_000,), held=200_000) for i in range(300)}
        put(path, whole(table(model=table(**views))), {"0": bytes(800_000)})

    def storages_in_one_another(path: Path, marker: Path) -> None:
        state = table(a=tensor((8,), held=8), b=tensor((4,), key="1"))
        put(path, whole(table(model=state)), {"0": bytes(16), "1": bytes(16)})

    makes = (
        keys, keys_in_a_stream, nested, long_name, deflated, lzma, bzip2, many_views,
        storages_in_one_another,
    )  # fmt: skip
    yield from (Case("bomb", make.__name__.replace("_", " "), make) for make in makes)


def safetensors_cases() -> Iterator[Case]:
    one = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    files: dict[str, Callable[[], bytes]] = {
        "shape of 1e12": lambda: safetensors({"a": ("F32", [10**12], [0, 4])}, bytes(4)),
        "shape that overflows": lambda: safetensors({"a": ("F32", [2**62, 4], [0, 0])}),
        "in one another": lambda: safetensors(
            {"a": ("F32", [2], [0, 8]), "b": ("F32", [2], [4, 12])}, bytes(12)
        ),
        "a hole": lambda: safetensors(
            {"a": ("F32", [1], [0, 4]), "b": ("F32", [1], [8, 12])}, bytes(12)
        ),
        "bytes behind": lambda: safetensors({"a": ("F32", [1], [0, 4])}, bytes(64)),
        "cut": lambda: safetensors({"a": ("F32", [4], [0, 16])}, bytes(8)),
        "backwards": lambda: safetensors({"a": ("F32", [1], [4, 0])}, bytes(4)),
        "unknown type": lambda: safetensors({"a": ("OBJ", [1], [0, 4])}, bytes(4)),
        "a name twice": lambda: safetensors(one + one.replace(b"{", b",", 1) + b"}", bytes(4)),
        "no JSON": lambda: safetensors(b'{"a":}'),
        "deep JSON": lambda: safetensors(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "header of 32 MB": lambda: safetensors(b"{" + b" " * (32 << 20) + b"}"),
        "header longer than the file": lambda: struct.pack("<Q", 1 << 40) + b'{"a":1}',
        "1e5 names": lambda: safetensors({f"{i}": ("F32", [0], [0, 0]) for i in range(10**5)}),
    }
    for name, content in files.items():
        yield Case(
            "safetensors",
            name,
            lambda path, marker, content=content: write(path, content()),
            ".safetensors",
        )


def no_tensor_cases() -> Iterator[Case]:
    """Objects that are no plain tensors, though nothing about them runs."""
    import numpy as np
    import torch

    objects: dict[str, Callable[[], Any]] = {
        "a module": lambda: torch.nn.Linear(2, 2),
        "a sparse tensor": lambda: torch.ones(2, 2).to_sparse(),
        "a quantized tensor": lambda: torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.qint8),
        "a numpy array": lambda: np.ones(3),
        "a numpy number": lambda: np.float64(3),
        "a function": lambda: torch.nn.functional.relu,
        "a date": lambda: __import__("datetime").date(2025, 1, 31),
        "a path": lambda: Path("/tmp"),
        "an optimizer": lambda: torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0),
    }
    for name, made in objects.items():
        yield Case(
            "no tensor",
            name,
            lambda path, marker, made=made: torch.save(
                {"model": {"weight": torch.ones(2)}, "more": made()}, path
            ),
        )
