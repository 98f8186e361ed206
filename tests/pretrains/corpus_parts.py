"""What the corpus of bad weights files is put together from: pickles, containers, payloads.

A payload, wherever it gets to run, leaves the marker that it was made with.
"""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Make = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Case:
    """A file of a class; `make` writes it to a path, with a payload that leaves a marker."""

    kind: str
    name: str
    make: Make
    suffix: str = ".pth"


def glob(name: str) -> bytes:
    module, _, last = name.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def short(value: str) -> bytes:
    """A text as protocol 4 writes it."""
    return b"\x8c" + bytes([len(value)]) + value.encode()


def number(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def group(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + group(*arguments) + b"R"


def table(**values: bytes) -> bytes:
    return b"}" + b"".join(text(key) + value + b"s" for key, value in values.items())


def whole(value: bytes, protocol: int = 2) -> bytes:
    return bytes([0x80, protocol]) + value + b"."


def storage(count: int, key: str = "0", *, old: bool = False) -> bytes:
    """A storage of floats; the `old` format says of each whether it is a view of another."""
    view = (b"N",) if old else ()
    kind = glob("torch.FloatStorage")
    return group(text("storage"), kind, text(key), text("cpu"), number(count), *view) + b"Q"


def tensor(
    shape: tuple[int, ...] = (4,),
    strides: tuple[int, ...] | None = None,
    *,
    held: int = 4,
    offset: int = 0,
    key: str = "0",
    old: bool = False,
) -> bytes:
    return call(
        glob("torch._utils._rebuild_tensor_v2"),
        storage(held, key, old=old),
        number(offset),
        group(*map(number, shape)),
        group(*map(number, strides or (1,) * len(shape))),
        b"\x89",
        call(glob("collections.OrderedDict")),
    )


def records_of(pickled: bytes, storages: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    held = {"0": struct.pack("<4f", 1, 2, 3, 4)} if storages is None else storages
    return {
        "archive/data.pkl": pickled,
        "archive/byteorder": b"little",
        "archive/version": b"3\n",
        **{f"archive/data/{key}": data for key, data in held.items()},
    }


def zipped(path: Path, records: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in records.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=compression)


def put(path: Path, pickled: bytes, storages: Mapping[str, bytes] | None = None) -> None:
    zipped(path, records_of(pickled, storages))


def stream(path: Path, pickled: bytes, keys: tuple[str, ...] = (), tail: bytes = b"") -> None:
    """The format of torch before 1.6."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    ahead = [pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, system)]
    path.write_bytes(b"".join([*ahead, pickled, pickle.dumps(list(keys), 2)]) + tail)


def good() -> bytes:
    return whole(table(model=table(weight=tensor())))


def touch(marker: Path) -> bytes:
    return text(f"touch {marker}")


def calls(marker: Path) -> dict[str, bytes]:
    """Calls that leave the marker, or would fetch more."""
    code = text(f"open({str(marker)!r}, 'w')")
    words = group(text("touch"), text(str(marker)))
    return {
        "os.system": call(glob("os.system"), touch(marker)),
        "posix.system": call(glob("posix.system"), touch(marker)),
        "subprocess.Popen": call(glob("subprocess.Popen"), words),
        "subprocess.check_output": call(glob("subprocess.check_output"), words),
        "builtins.eval": call(glob("builtins.eval"), code),
        "builtins.exec": call(glob("builtins.exec"), code),
        "__builtin__.eval": call(glob("__builtin__.eval"), code),
        "builtins.open": call(glob("builtins.open"), text(str(marker)), text("w")),
        "runpy._run_code": call(glob("runpy._run_code"), code, b"}"),
        "importlib.import_module": call(glob("importlib.import_module"), text("antigravity")),
        "pty.spawn": call(glob("pty.spawn"), text(f"touch {marker}")),
        "socket.create_connection": call(
            glob("socket.create_connection"), group(text("127.0.0.1"), number(9))
        ),
        "urllib.request.urlopen": call(glob("urllib.request.urlopen"), text("http://127.0.0.1:9/")),
        "torch.load": call(glob("torch.load"), text(str(marker))),
        "torch.hub.load": call(glob("torch.hub.load"), text("a/b"), text("c")),
        "pathlib.Path.touch": call(glob("pathlib.PosixPath"), text(str(marker))),
        "shutil.copy": call(glob("shutil.copy"), text("/etc/hostname"), text(str(marker))),
        "numpy.load": call(glob("numpy.load"), text(str(marker))),
        "webbrowser.open": call(glob("webbrowser.open"), text("http://127.0.0.1:9/")),
        "operator.attrgetter": call(glob("operator.attrgetter"), text("system")),
    }


def payload(marker: Path) -> bytes:
    return calls(marker)["posix.system"]


def patched(path: Path, change: Callable[[bytearray], None]) -> None:
    put(path, good())
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)


def safetensors(
    header: Mapping[str, tuple[str, list[int], list[int]]] | bytes, data: bytes = b""
) -> bytes:
    if not isinstance(header, bytes):
        header = json.dumps(
            {
                name: {"dtype": kind, "shape": shape, "data_offsets": place}
                for name, (kind, shape, place) in header.items()
            }
        ).encode()
    return struct.pack("<Q", len(header)) + header + data


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
