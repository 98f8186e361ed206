"""What a weights file looks like from outside: judged before anything in it is unpickled.

`torch.save` writes one of two forms: since 1.6 a zip archive of uncompressed records, of which one
is a pickle; before, a stream of five pickles with the bytes of the storages behind. A file that
departs from its form anywhere is refused, also where readers would overlook it, since what two
readers take for two different things is how payloads hide.
"""

from __future__ import annotations

import io
import pickletools
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from engine.errors import DamagedError, UnsafeFileError, VoicetuiError
from engine.text import clean

# A training checkpoint of XTTS has under 100,000 operations in under 1 MB.
MAX_OPERATIONS = 1_000_000
MAX_PICKLE_BYTES = 16 << 20
MAX_RECORDS = 65_536
_STREAM_PICKLES = 5
_STREAM_MAGIC = 0x1950A86A20F9469CFC6C
_ZIP_MAGIC = b"PK\x03\x04"
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_LOCAL_HEADER = struct.Struct("<4s22xHH")
# A length that was only known afterwards, and UTF-8 names; all others mean encryption or patches.
_HARMLESS_FLAGS = 0x0808
_RECORD = re.compile(
    r"data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id"
    r"|data/[0-9]+"
)
_STORAGE = "/data/"
_CHUNK = 1 << 24
# The first bytes of what people take for a weights file.
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x89HDF": "an HDF5 file",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"#!": "a script",
    b"GGUF": "a GGUF file",
}
_NOT_THE_FILE = {
    b"version https://git-lfs": "it is a Git LFS pointer, not the file itself",
    b"<": "it is a web page",
}
_STORAGES = [
    f"{kind}Storage"
    for kind in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long",
                 "Short", "ComplexFloat", "ComplexDouble")
]  # fmt: skip
_DTYPES = ["bfloat16", "bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64",
           "uint8", "complex64", "complex128"]  # fmt: skip
# What weights need, a few of the names that torch allows; of the others, some take memory at will
# (`torch.FloatTensor(10**12)`) and some build what is no plain tensor.
_NAMES = frozenset(
    [
        "collections OrderedDict",
        "collections Counter",
        "torch._utils _rebuild_tensor",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
        "torch Size",
        "torch device",
        "_codecs encode",
        "__builtin__ set",
        "builtins set",
        "__builtin__ complex",
        "builtins complex",
        *(f"{module} {name}" for module in ("torch", "torch.cuda") for name in _STORAGES),
        *(f"torch {name}" for name in _DTYPES),
    ]
)
# What the pickles of torch consist of; its restricted reader knows no others.
_NAMING = ("GLOBAL", "STACK_GLOBAL", "INST")
_OPERATIONS = frozenset(
    [
        "PROTO",
        "STOP",
        "MARK",
        "GLOBAL",
        "NEWOBJ",
        "REDUCE",
        "BUILD",
        "APPEND",
        "APPENDS",
        "SETITEM",
        "SETITEMS",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "NONE",
        "NEWFALSE",
        "NEWTRUE",
        "EMPTY_TUPLE",
        "EMPTY_LIST",
        "EMPTY_DICT",
        "EMPTY_SET",
        "BININT",
        "BININT1",
        "BININT2",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINSTRING",
        "BINPERSID",
        "BINGET",
        "LONG_BINGET",
        "BINPUT",
        "LONG_BINPUT",
        "LONG1",
    ]
)


@dataclass(frozen=True)
class Form:
    """Which of the two forms a file has; of a zip, the bytes of each storage in it."""

    kind: Literal["zip", "stream"]
    storages: tuple[int, ...] = ()


def unsafe(path: Path, what: str) -> UnsafeFileError:
    """The refusal of a file that holds `what`, which is no plain tensor."""
    return UnsafeFileError(
        f"{clean(str(path))} was not loaded: it holds {clean(what)}, and weights are plain tensors. "
        "Loading such a file could run a stranger's code. Take the file from its author's own "
        "repository, or ask for a safetensors version."
    )


def damaged(path: Path, reason: Exception | str) -> DamagedError:
    """The refusal of a file that cannot be read, with the first line of the reason."""
    said = clean(str(reason).partition("\n")[0]) or type(reason).__name__
    return DamagedError(
        f"{clean(str(path))} is cut short, damaged or not a weights file ({said}). "
        "Fetch or copy it again."
    )


def check_file(path: Path) -> None:
    """Raise DamagedError unless the path leads to a regular file, whose bytes can be counted."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise DamagedError(
            f"There is no weights file {clean(str(path))} ({error.strerror})."
        ) from error
    if not stat.S_ISREG(mode):
        kind = "folder" if stat.S_ISDIR(mode) else "device, pipe or socket"
        raise DamagedError(f"{clean(str(path))} is a {kind}, not a weights file. Give a file.")


def form_of(path: Path, *, names: Sequence[str] = (), checksums: bool = False) -> Form:
    """The form of a file, once it is known to be nothing else.

    `names` ("module name") are allowed beside those of tensors. With `checksums` all records are
    read and compared with theirs. Raises UnsafeFileError for what is not plain tensors, DamagedError
    for a file that is missing, cut short or of another kind.
    """
    check_file(path)
    allowed = _NAMES | frozenset(names)
    with path.open("rb") as handle:
        start = handle.read(64)
        handle.seek(0)
        if start.startswith(_ZIP_MAGIC):
            return _check_zip(path, handle, allowed, checksums=checksums)
        _check_kind(path, start)
        _check_stream(path, handle, allowed)
    return Form("stream")


def _check_kind(path: Path, start: bytes) -> None:
    if not start.strip(b"\0"):
        raise damaged(path, "it is empty" if not start else "it begins with zeros")
    for magic, kind in _OTHERS.items():
        if start.startswith(magic):
            raise unsafe(path, kind)
    for magic, kind in _NOT_THE_FILE.items():
        if start.lstrip().startswith(magic):
            raise damaged(path, kind)
    # The tar files of torch before 0.2, which no restricted reader understands.
    try:
        with tarfile.open(path, "r:"):
            pass
    except tarfile.TarError:
        return
    raise unsafe(path, "a tar archive")


def _check_stream(path: Path, handle: IO[bytes], allowed: frozenset[str]) -> None:
    pickles = io.BytesIO(handle.read(MAX_PICKLE_BYTES))
    for number in range(_STREAM_PICKLES):
        first = _check_pickle(path, pickles, allowed)
        if number == 0 and first != _STREAM_MAGIC:
            raise unsafe(path, "a pickle that is not that of torch")


def _check_pickle(path: Path, pickled: io.BytesIO, allowed: frozenset[str]) -> object:
    """Walk over a pickle to behind its STOP; gives the first value that it pushes.

    Raises UnsafeFileError, which names what it would call rather than how.
    """
    first: object = None
    foreign = ""
    said = ["", ""]
    try:
        for count, (operation, value, _) in enumerate(pickletools.genops(pickled)):
            if operation.name in _NAMING:
                name = str(value) if value is not None else " ".join(said)
                if operation.name != "GLOBAL" or name not in allowed:
                    raise unsafe(path, f"a reference to {name.replace(' ', '.')}")
            if operation.name not in _OPERATIONS:
                foreign = foreign or operation.name
            if count > MAX_OPERATIONS:
                raise unsafe(path, f"more than {MAX_OPERATIONS:,} entries")
            if isinstance(value, str):
                said = [said[1], value]
            if first is None and operation.name != "PROTO":
                first = value
    except (ValueError, IndexError, struct.error, EOFError, OverflowError) as error:
        if foreign:
            raise unsafe(path, f"what torch does not write ({foreign})") from error
        raise damaged(path, f"its description breaks off: {error}") from error
    if foreign:
        raise unsafe(path, f"what torch does not write ({foreign})")
    return first


def _check_zip(path: Path, handle: IO[bytes], allowed: frozenset[str], *, checksums: bool) -> Form:
    try:
        with zipfile.ZipFile(handle) as archive:
            records = archive.infolist()
            directory = archive.start_dir
            _check_names(path, records)
            _check_ends(path, handle, comment=archive.comment)
            for record, start in _placed(path, handle, records, directory):
                if record.filename.endswith("/data.pkl"):
                    _check_record(path, handle, start, record.file_size, allowed)
                if checksums or record.filename.endswith("/data.pkl"):
                    _check_sum(path, handle, start, record)
            sizes = [each.file_size for each in records if _STORAGE in each.filename]
            return Form("zip", tuple(size for size in sizes if size))
    except VoicetuiError:
        raise
    except zipfile.BadZipFile as error:
        # Python says that it is no zip file; it begins as one.
        gone = "not a zip file" in str(error)
        raise damaged(path, "its end is missing" if gone else error) from error
    except (
        ValueError, NotImplementedError, EOFError, IndexError, struct.error, OverflowError, OSError,
    ) as error:  # fmt: skip
        raise damaged(path, error) from error


def _check_names(path: Path, records: list[zipfile.ZipInfo]) -> None:
    if len(records) > MAX_RECORDS:
        raise unsafe(path, f"{len(records):,} records")
    names = [record.filename for record in records]
    if any(name.endswith("/constants.pkl") for name in names):
        raise unsafe(path, "a TorchScript program")
    if len(set(names)) != len(names):
        raise unsafe(path, "two records of one name")
    top = names[0].partition("/")[0] if names else ""
    for record in records:
        folder, _, name = record.filename.partition("/")
        if folder != top or not _RECORD.fullmatch(name):
            raise unsafe(path, f"the record {record.filename}, which torch does not write")
        if record.compress_type != zipfile.ZIP_STORED or record.compress_size != record.file_size:
            raise unsafe(path, f"the compressed record {record.filename}")
        if record.flag_bits & ~_HARMLESS_FLAGS:
            raise unsafe(path, f"the encrypted or patched record {record.filename}")
    if f"{top}/data.pkl" not in names:
        raise damaged(path, "it has no data.pkl")


def _check_ends(path: Path, handle: IO[bytes], *, comment: bytes) -> None:
    handle.seek(-_ZIP_END_BYTES, 2)
    if comment or handle.read(len(_ZIP_END)) != _ZIP_END:
        raise unsafe(path, "something behind its records")


def _placed(
    path: Path, handle: IO[bytes], records: list[zipfile.ZipInfo], directory: int
) -> Iterator[tuple[zipfile.ZipInfo, int]]:
    """Each record with the place of its first byte; they lie one behind the other from place 0."""
    end = 0
    for record in sorted(records, key=lambda record: record.header_offset):
        if record.header_offset < end or (end == 0 and record.header_offset > 0):
            raise unsafe(path, f"the record {record.filename} in a place that is not its own")
        handle.seek(record.header_offset)
        magic, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(handle.read(_LOCAL_HEADER.size))
        name = record.orig_filename.encode("utf-8" if record.flag_bits & 0x800 else "cp437")
        if magic != _ZIP_MAGIC or handle.read(name_bytes) != name:
            raise unsafe(path, f"the record {record.filename} under two names")
        start = record.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
        end = start + record.file_size
        if end > directory:
            raise damaged(path, f"the record {record.filename} ends behind the file")
        yield record, start


def _check_record(
    path: Path, handle: IO[bytes], start: int, size: int, allowed: frozenset[str]
) -> None:
    if size > MAX_PICKLE_BYTES:
        raise unsafe(path, f"a description of {size / 1e6:,.0f} MB")
    handle.seek(start)
    pickled = io.BytesIO(handle.read(size))
    _check_pickle(path, pickled, allowed)
    if pickled.read(1):
        raise unsafe(path, "something behind its description")


def _check_sum(path: Path, handle: IO[bytes], start: int, record: zipfile.ZipInfo) -> None:
    handle.seek(start)
    crc, left = 0, record.file_size
    while left and (piece := handle.read(min(left, _CHUNK))):
        crc, left = zlib.crc32(piece, crc), left - len(piece)
    if left or crc != record.CRC:
        raise damaged(path, f"the checksum of {record.filename} is wrong")
