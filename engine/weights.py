"""The only reader of pickled weights: they are data, never code.

torch's restricted unpickler reads them with a fixed list of allowed names; there is no way to widen
it and no fallback. What comes back is plain: tensors, dicts, lists, tuples, sets and scalars.
"""

from __future__ import annotations

import pickle
import re
import struct
import tarfile
import threading
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DamagedError, UnsafeFileError
from engine.text import clean

if TYPE_CHECKING:
    import torch

# The classes that coqui pickled into the published XTTS v2 `model.pth`, at the places where they
# lived then and where they live now.
_COQUI_CONFIGS = (
    "TTS.config.shared_configs.BaseDatasetConfig",
    "TTS.tts.configs.xtts_config.XttsArgs",
    "TTS.tts.configs.xtts_config.XttsAudioConfig",
    "TTS.tts.configs.xtts_config.XttsConfig",
    "TTS.tts.models.xtts.XttsArgs",
    "TTS.tts.models.xtts.XttsAudioConfig",
)
_ZIP_MAGIC = b"PK\x03\x04"
_REFUSED_GLOBAL = re.compile(r"GLOBAL (\S+)")
_SCALARS = (type(None), bool, int, float, complex, str, bytes, bytearray)
# torch keeps the allowed names in one set for the whole process.
_ALLOWING = threading.Lock()


class _Config(dict[str, Any]):
    """Stands in for a coqui config class, so that none of coqui's code is imported or run."""

    def __setstate__(self, state: object) -> None:
        if type(state) is not dict:
            raise pickle.UnpicklingError("the state of a config is not a dict")
        self.update(state)


def load(path: Path, *, mmap: bool = True) -> Any:
    """The content of a file that `torch.save` wrote: a tensor, or containers of tensors, on the CPU.

    With `mmap`, tensors of zip files are copy-on-write views of the file, so nothing is read before
    it is used; files of the older format are read whole. The file is never written to. Configs of
    coqui's classes come back as dicts. Raises UnsafeFileError when the file holds more than data,
    DamagedError when it is missing, cut short or not a weights file.
    """
    if not path.is_file():
        raise DamagedError(f"There is no weights file {clean(str(path))}.")
    with path.open("rb") as handle:
        zipped = handle.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC
    if zipped:
        _check_zip(path)
    else:
        _check_not_tar(path)
    content = _unpickle(path, mmap=mmap and zipped)
    try:
        return _plain(content, {}, path)
    except RecursionError:
        raise _unsafe(path, "containers nested hundreds deep") from None


def _unsafe(path: Path, what: str) -> UnsafeFileError:
    return UnsafeFileError(
        f"{clean(str(path))} was not loaded: it holds {clean(what)}, and weights are plain tensors. "
        "Loading such a file could run a stranger's code. Take the file from its author's own "
        "repository, or ask for a safetensors version."
    )


def _damaged(path: Path, error: Exception) -> DamagedError:
    reason = clean(str(error).partition("\n")[0]) or type(error).__name__
    return DamagedError(
        f"{clean(str(path))} is cut short, damaged or not a weights file ({reason}). "
        "Fetch or copy it again."
    )


def _check_zip(path: Path) -> None:
    """Refuse archives that are programs, or whose records cannot be mapped as they are."""
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, struct.error) as error:
        raise _damaged(path, error) from error
    if any(record.filename.endswith("/constants.pkl") for record in records):
        raise _unsafe(path, "a TorchScript program")
    for record in records:
        if record.compress_type != zipfile.ZIP_STORED or record.compress_size != record.file_size:
            raise _unsafe(path, f"the compressed record {record.filename}")


def _check_not_tar(path: Path) -> None:
    """Refuse the tar files of torch before 0.2, which no restricted reader understands."""
    try:
        with tarfile.open(path, "r:"):
            pass
    except tarfile.TarError:
        return
    raise _unsafe(path, "a tar archive")


def _unpickle(path: Path, *, mmap: bool) -> Any:
    import torch

    allowed: list[Any] = [(_Config, name) for name in _COQUI_CONFIGS]
    with _ALLOWING, torch.serialization.safe_globals(allowed):
        try:
            # `weights_only` is given here and now, which no environment variable overrides.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
        except pickle.UnpicklingError as error:
            # torch wraps the reason in advice to switch the protection off.
            reason = str(error.__context__ or error)
            refused = _REFUSED_GLOBAL.search(reason)
            what = f"the name {refused[1]}" if refused else f"what torch does not write ({reason})"
            raise _unsafe(path, what) from error
        except MemoryError:
            raise
        except Exception as error:
            # A malformed pickle can fail anywhere inside the unpickler, with any exception.
            raise _damaged(path, error) from error


def _plain(value: Any, memo: dict[int, Any], path: Path) -> Any:
    """The value with its containers rebuilt as builtin ones; shared and cyclic ones stay so."""
    import torch

    if id(value) in memo:
        return memo[id(value)]
    kind = type(value)
    if kind in _SCALARS or kind in (torch.dtype, torch.device):
        return value
    if kind is torch.nn.Parameter:
        value, kind = value.detach(), torch.Tensor
    if kind is torch.Tensor:
        if not _is_dense(value):
            raise _unsafe(path, "a sparse, quantized, nested or empty-shell tensor")
        return value
    if kind in (dict, OrderedDict, Counter, _Config):
        table: dict[Any, Any] = {}
        memo[id(value)] = table
        for key, item in value.items():
            table[_plain(key, memo, path)] = _plain(item, memo, path)
        return table
    if kind is list:
        items: list[Any] = []
        memo[id(value)] = items
        items.extend(_plain(item, memo, path) for item in value)
        return items
    if kind in (tuple, torch.Size, set):
        rebuilt = set if kind is set else tuple
        memo[id(value)] = rebuilt(_plain(item, memo, path) for item in value)
        return memo[id(value)]
    raise _unsafe(path, f"an object of {kind.__module__}.{kind.__qualname__}")


def _is_dense(tensor: torch.Tensor) -> bool:
    import torch

    return (
        tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
        and not tensor.is_nested
    )
