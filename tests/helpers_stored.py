"""Pretrains in the store, put there without the roads that fetch and read them."""

from __future__ import annotations

import functools
import io
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from helpers_pretrains import write_discriminator, write_generator

from engine.files import sha256_file
from engine.pretrains import store
from engine.pretrains.describe import old_name
from engine.pretrains.entry import Entry, Role
from engine.pretrains.facts import Facts
from engine.pretrains.store import Stored, StoredFile

_PRECISIONS = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float64": "fp64"}
PLAIN = (store.tensors_name("G"), store.tensors_name("D"))


def keep(
    name: str = "Anna",
    rate: int = 40000,
    *,
    pitch: bool = True,
    file_names: tuple[str, str] = ("G_2333333.pth", "D_2333333.pth"),
    entry: dict[str, Any] | None = None,
    **made: Any,
) -> Stored:
    """Store a small pair with random tensors; `made` is that of `_pair`.

    With `PLAIN` as its file names it holds plain tensors only, as a merged one does.
    """
    known = Entry(name, rate, pitch=pitch, **entry or {})
    contents, files = _pair(file_names, rate=rate, pitch=pitch, **made)
    with store.adding(known) as folder:
        for path, content in contents.items():
            (folder / path).write_bytes(content)
        kept = Stored(store.folder_of(known), known, "fetched", "c" * 40, store.now(), files)
        store.save(folder, kept)
    return store.load(kept.folder)


@functools.cache
def _pair(
    file_names: tuple[str, str],
    *,
    rate: int,
    pitch: bool,
    seed: int = 1,
    version: str = "v2",
    speakers: int = 109,
    vocoder: str = "HiFi-GAN",
    dtype: str = "float32",
    problems: tuple[str, ...] = (),
    **how: Any,
) -> tuple[dict[str, bytes], tuple[StoredFile, StoredFile]]:
    """The files of a pair by name, and their records; `how` is that of `write_state`."""
    shape: dict[str, Any] = {"pitch": pitch, "speakers": speakers, "vocoder": vocoder}
    common: dict[str, Any] = {"version": version, "dtype": dtype, **how}
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_generator(folder / file_names[0], rate, seed=seed, **shape, **common)
        write_discriminator(folder / file_names[1], seed=seed + 100, **common)
        files = (
            _stored_file(folder, "G", file_names[0], version, dtype, problems, rate=rate, **shape),
            _stored_file(folder, "D", file_names[1], version, dtype, ()),
        )
        return {path.name: path.read_bytes() for path in folder.iterdir()}, files


def tensors_of(kept: Stored, role: Role) -> dict[str, Any]:
    """Its plain tensors, as torch reads them."""
    from safetensors.torch import load_file

    return dict(load_file(kept.tensors_of(role)))


def _with_old_names(state: dict[str, Any]) -> dict[str, Any]:
    return {old_name(key): tensor.clone() for key, tensor in state.items()}


def _stored_file(
    folder: Path,
    role: Role,
    name: str,
    version: str,
    dtype: str,
    problems: tuple[str, ...],
    **shape: Any,
) -> StoredFile:
    from safetensors.torch import load_file, save_file

    from engine import weights

    path, plain = folder / name, folder / store.tensors_name(role)
    if path == plain:
        old = load_file(path)
    else:
        content = weights.load(path, mmap=False)
        old = _with_old_names(content.get("model", content))
        save_file(old, plain)
    facts = Facts(
        "generator" if role == "G" else "discriminator",
        len(old),
        sum(tensor.numel() for tensor in old.values()),
        sum(tensor.nbytes for tensor in old.values()),
        _PRECISIONS[dtype],
        version,  # type: ignore[arg-type]
        problems=problems,
        **shape,
    )
    sizes = path.stat().st_size, plain.stat().st_size
    return StoredFile(role, name, sizes[0], sha256_file(path), facts, sizes[1], sha256_file(plain))


GENERATOR = Facts(
    "generator", 560, 36_458_818, 145_835_272, "fp32", "v2", 40000, pitch=True, speakers=109
)
DISCRIMINATOR = Facts("discriminator", 165, 71_410_594, 285_642_376, "fp32", "v2")


def keep_bytes(
    name: str = "Anna",
    rate: int = 40000,
    *,
    commit: str = "c" * 40,
    lineage: tuple[str, ...] = (),
    files: tuple[str, str] = ("sub/G.pth", "sub/D.pth"),
    contents: tuple[bytes, bytes] | None = None,
    generator: Facts = GENERATOR,
    **entry: Any,
) -> Stored:
    """Store a pair of files that are no weights, which is quick; only their record says so.

    `contents` are those of both files as they came, and of both files of plain tensors.
    """
    known = Entry(name, rate, **entry)
    with store.adding(known) as folder:
        kept = (
            _bytes_file(folder, "G", files[0], contents, generator),
            _bytes_file(folder, "D", files[1], contents, DISCRIMINATOR),
        )
        place = store.folder_of(known)
        store.save(folder, Stored(place, known, "fetched", commit, store.now(), kept, lineage))
    return store.load(place)


def keep_numbers(name: str, *values: float, **facts: Any) -> Stored:
    """Store a pair of one small tensor each, with these values, to be installed and merged."""
    from numpy import array, float32
    from safetensors.numpy import save

    came = io.BytesIO()
    with zipfile.ZipFile(came, "w") as archive:
        # As torch names what is in there; nobody reads its tensors.
        archive.writestr("archive/data.pkl", pickle.dumps({"model": {"dec.weight": 0}}, 2))
    contents = came.getvalue(), save({"dec.weight": array(values, float32)})
    return keep_bytes(name, contents=contents, generator=replace(GENERATOR, **facts))


def _bytes_file(
    folder: Path, role: Role, path: str, contents: tuple[bytes, bytes] | None, facts: Facts
) -> StoredFile:
    came, plain = folder / path, folder / store.tensors_name(role)
    came.parent.mkdir(exist_ok=True)
    told = f"{role} as it came".encode(), f"the tensors of {role}".encode()
    for file, content in zip((came, plain), contents or told, strict=True):
        file.write_bytes(content)
    sizes = came.stat().st_size, plain.stat().st_size
    return StoredFile(role, path, sizes[0], sha256_file(came), facts, sizes[1], sha256_file(plain))
