"""Archives that are not what they seem, links, and what is no weights file at all."""

from __future__ import annotations

import gzip
import io
import os
import socket
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from corpus_parts import (
    Case,
    good,
    patched,
    payload,
    put,
    records_of,
    safetensors,
    table,
    whole,
    write,
    zipped,
)


def crc_cases() -> Iterator[Case]:
    for name in records_of(b""):

        def make(path: Path, marker: Path, name: str = name) -> None:
            def change(data: bytearray) -> None:
                at = data.index(name.encode()) + len(name)
                data[at] ^= 0xFF

            patched(path, change)

        yield Case("crc", f"changed {name}", make)

    def directory(path: Path, marker: Path) -> None:
        def change(data: bytearray) -> None:
            at = data.index(b"PK\x01\x02")
            data[at + 16] ^= 0xFF

        patched(path, change)

    yield Case("crc", "changed in the directory", directory)


def flag_cases() -> Iterator[Case]:
    for bit in (0, 1, 4, 5, 6, 13, 15):

        def make(path: Path, marker: Path, bit: int = bit) -> None:
            def change(data: bytearray) -> None:
                for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
                    place = data.index(magic) + at
                    flags = int.from_bytes(data[place : place + 2], "little") | 1 << bit
                    data[place : place + 2] = flags.to_bytes(2, "little")

            patched(path, change)

        yield Case("flags", f"bit {bit}", make)


def _tar(marker: Path) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in ("storages", "tensors", "pickle"):
            content = whole(payload(marker))
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def polyglot_cases() -> Iterator[Case]:
    def zip_of(path: Path, marker: Path) -> bytes:
        put(path, whole(table(model=payload(marker))))
        return path.read_bytes()

    def torchscript(path: Path, marker: Path) -> None:
        zipped(path, records_of(good()) | {"archive/constants.pkl": whole(payload(marker))})

    def package(path: Path, marker: Path) -> None:
        zipped(path, records_of(good()) | {"archive/.data/extern_modules": b"os"})

    def comment(path: Path, marker: Path) -> None:
        put(path, good())
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = whole(payload(marker))

    def zip_in_comment(path: Path, marker: Path) -> None:
        inner = zip_of(path, marker)
        put(path, good())
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = inner

    def two_zips(path: Path, marker: Path) -> None:
        inner = zip_of(path, marker)
        put(path, good())
        path.write_bytes(path.read_bytes() + inner)

    def tar(path: Path, marker: Path) -> None:
        path.write_bytes(_tar(marker))

    def tar_and_zip(path: Path, marker: Path) -> None:
        inner = zip_of(path, marker)
        path.write_bytes(_tar(marker) + inner)

    def gzipped(path: Path, marker: Path) -> None:
        path.write_bytes(gzip.compress(zip_of(path, marker)))

    def safetensors_and_zip(path: Path, marker: Path) -> None:
        inner = zip_of(path, marker)
        path.write_bytes(safetensors({"a": ("F32", [1], [0, 4])}, bytes(4)) + inner)

    makes = (
        torchscript, package, comment, zip_in_comment, two_zips, tar, tar_and_zip, gzipped,
        safetensors_and_zip,
    )  # fmt: skip
    yield from (Case("polyglot", make.__name__, make) for make in makes)
    starts = {
        "7z": b"7z\xbc\xaf\x27\x1c\x00\x04",
        "rar": b"Rar!\x1a\x07\x01\x00",
        "elf": b"\x7fELF\x02\x01\x01\x00",
        "script": b"#!/bin/sh\n",
        "png": b"\x89PNG\r\n\x1a\n",
        "pdf": b"%PDF-1.7\n",
        "pickle": b"\x80\x02}q\x00.",
    }
    for name, start in starts.items():
        yield Case(
            "polyglot",
            f"{name} and zip",
            lambda path, marker, start=start: _prepend(path, start, zip_of(path, marker)),
        )


def _prepend(path: Path, start: bytes, rest: bytes) -> None:
    path.write_bytes(start + rest)


def link_cases() -> Iterator[Case]:
    def to_payload(path: Path, marker: Path) -> None:
        behind = path.with_name(f"{path.stem}-behind")
        put(behind, whole(table(model=payload(marker))))
        path.symlink_to(behind)

    def to_nothing(path: Path, marker: Path) -> None:
        path.symlink_to("/nowhere/at/all.pth")

    def to_itself(path: Path, marker: Path) -> None:
        path.symlink_to(path)

    def to_zeros(path: Path, marker: Path) -> None:
        path.symlink_to("/dev/zero")

    def to_a_folder(path: Path, marker: Path) -> None:
        path.symlink_to(path.parent)

    def pipe(path: Path, marker: Path) -> None:
        os.mkfifo(path)

    def folder(path: Path, marker: Path) -> None:
        path.mkdir()

    def bound(path: Path, marker: Path) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            here = os.getcwd()
            os.chdir(path.parent)
            try:
                server.bind(path.name)
            finally:
                os.chdir(here)

    makes = (to_payload, to_nothing, to_itself, to_zeros, to_a_folder, pipe, folder, bound)
    yield from (Case("link", make.__name__.replace("_", " "), make) for make in makes)


def zip_cases() -> Iterator[Case]:
    def twice(path: Path, marker: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings(action="ignore"):
            for name, data in records_of(good()).items():
                archive.writestr(zipfile.ZipInfo(name), data)
            archive.writestr(zipfile.ZipInfo("archive/data.pkl"), whole(payload(marker)))

    def two_names(path: Path, marker: Path) -> None:
        def change(data: bytearray) -> None:
            at = data.index(b"archive/data.pkl")
            data[at : at + 7] = b"hideout"

        patched(path, change)

    def overlapping(path: Path, marker: Path) -> None:
        def change(data: bytearray) -> None:
            second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
            data[second + 42 : second + 46] = bytes(4)

        patched(path, change)

    def behind_the_end(path: Path, marker: Path) -> None:
        def change(data: bytearray) -> None:
            first = data.index(b"PK\x01\x02")
            data[first + 42 : first + 46] = b"\xff\xff\xff\x7f"

        patched(path, change)

    def longer_than_the_file(path: Path, marker: Path) -> None:
        def change(data: bytearray) -> None:
            last = data.rindex(b"PK\x01\x02")
            data[last + 20 : last + 28] = struct.pack("<II", 1 << 30, 1 << 30)

        patched(path, change)

    def foreign_record(path: Path, marker: Path) -> None:
        zipped(path, records_of(good()) | {"archive/code/run.py": b"import os"})

    def other_folder(path: Path, marker: Path) -> None:
        zipped(path, records_of(good()) | {"../../data/1": b"x"})

    def no_description(path: Path, marker: Path) -> None:
        zipped(path, {"archive/version": b"3\n"})

    def missing_storage(path: Path, marker: Path) -> None:
        put(path, good(), {})

    def no_records(path: Path, marker: Path) -> None:
        path.write_bytes(b"PK\x03\x04" + bytes(60))

    makes = (
        twice, two_names, overlapping, behind_the_end, longer_than_the_file, foreign_record,
        other_folder, no_description, missing_storage, no_records,
    )  # fmt: skip
    yield from (Case("zip", make.__name__.replace("_", " "), make) for make in makes)


def broken_cases() -> Iterator[Case]:
    files: dict[str, Callable[[Path], bytes]] = {
        "empty": lambda path: b"",
        "zeros": lambda path: bytes(4096),
        "a web page": lambda path: b"<!doctype html><html>Not found</html>",
        "a Git LFS pointer": lambda path: b"version https://git-lfs.github.com/spec/v1\noid x\n",
        "JSON": lambda path: b'{"error": "Repository not found"}',
        "text": lambda path: b"hello\n" * 100,
        "noise": lambda path: zlib.compress(bytes(range(256)) * 64) * 8,
        **{
            f"{share:.0%} of a good one": lambda path, share=share: _cut(path, share)
            for share in (0.05, 0.5, 0.98)
        },
    }
    for name, content in files.items():
        yield Case("broken", name, lambda path, marker, content=content: write(path, content(path)))


def _cut(path: Path, share: float) -> bytes:
    put(path, good())
    data = path.read_bytes()
    return data[: int(len(data) * share)]
