"""The only reader of pickled weights: they are data, never code.

torch's restricted unpickler reads them with a fixed list of allowed names; there is no way to widen
it and no fallback. What comes back is plain: tensors, dicts, lists, tuples, sets and scalars.
"""

from __future__ import annotations

import pickle
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.weights_form import Form, damaged, form_of, unsafe

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
_COQUI_NAMES = tuple(" ".join(name.rsplit(".", 1)) for name in _COQUI_CONFIGS)
_REFUSED_GLOBAL = re.compile(r"GLOBAL (\S+)")
# How torch says that a shape or an offset leads out of what is stored.
_TOO_LARGE = re.compile(
    r"not resizable|can't allocate memory|overflow|out of bounds|storage offset"
)
_SCALARS = (type(None), bool, int, float, complex, str, bytes)
# Tied weights are stored once and named two or three times.
_MOST_SHARING = 4
# torch keeps the allowed names in one set for the whole process.
_ALLOWING = threading.Lock()


class _Config(dict[str, Any]):
    """Stands in for a coqui config class, so that none of coqui's code is imported or run."""

    def __setstate__(self, state: object) -> None:
        if type(state) is not dict:
            raise pickle.UnpicklingError("the state of a config is not a dict")
        self.update(state)


def load(path: Path, *, mmap: bool = True, checksums: bool = False) -> Any:
    """The content of a file that `torch.save` wrote: a tensor, or containers of tensors, on the CPU.

    With `mmap`, tensors of zip files are copy-on-write views of the file, so nothing is read before
    it is used; files of the older format are read whole. With `checksums`, a zip file is read once
    ahead and compared with its own checksums. The file is never written to. Configs of coqui's
    classes come back as dicts. Raises UnsafeFileError when the file holds more than data,
    DamagedError when it is missing, cut short or not a weights file.
    """
    form = form_of(path, names=_COQUI_NAMES, checksums=checksums)
    content = _unpickle(path, form, mmap=mmap)
    memo: dict[int, Any] = {}
    try:
        plain = _plain(content, memo, path)
    except RecursionError:
        raise unsafe(path, "containers nested hundreds deep") from None
    _check_storages(path, form, memo.values())
    return plain


def _unpickle(path: Path, form: Form, *, mmap: bool) -> Any:
    import torch

    allowed: list[Any] = [(_Config, name) for name in _COQUI_CONFIGS]
    with _ALLOWING, torch.serialization.safe_globals(allowed), path.open("rb") as handle:
        try:
            # `weights_only` is given here and now, which no environment variable overrides.
            if form.kind == "zip":
                return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
            content = torch.load(handle, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            # torch wraps the reason in advice to switch the protection off.
            reason = str(error.__context__ or error)
            refused = _REFUSED_GLOBAL.search(reason)
            what = (
                f"a reference to {refused[1]}"
                if refused
                else f"what torch does not write ({reason})"
            )
            raise unsafe(path, what) from error
        except MemoryError:
            raise
        except Exception as error:
            # A malformed pickle can fail anywhere inside the unpickler, with any exception.
            if _TOO_LARGE.search(str(error)):
                raise unsafe(path, "a tensor of more values than are in the file") from error
            raise damaged(path, error) from error
        if handle.read(1):
            raise unsafe(path, "something behind its tensors")
        return content


def _plain(value: Any, memo: dict[int, Any], path: Path) -> Any:
    """The value with its containers rebuilt as builtin ones; shared and cyclic ones stay so."""
    import torch

    if id(value) in memo:
        return memo[id(value)]
    kind = type(value)
    if kind in _SCALARS or kind in (torch.dtype, torch.device):
        return value
    if kind in (torch.Tensor, torch.nn.Parameter):
        if not _is_dense(value):
            raise unsafe(path, "a sparse, quantized, nested or empty-shell tensor")
        memo[id(value)] = value.detach()
        return memo[id(value)]
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
    raise unsafe(path, f"an object of {kind.__module__}.{kind.__qualname__}")


def _is_dense(tensor: torch.Tensor) -> bool:
    import torch

    return (
        tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
        and not tensor.is_nested
    )


def _check_storages(path: Path, form: Form, read: Iterable[Any]) -> None:
    """Refuse tensors that would take more room than the file, or that lie in one another."""
    import torch

    tensors = [value for value in read if isinstance(value, torch.Tensor)]
    held = path.stat().st_size
    for tensor in tensors:
        if tensor.nbytes > tensor.untyped_storage().nbytes():
            raise unsafe(
                path, f"a tensor of {_times(tensor.shape)} values that are not in the file"
            )
    if sum(tensor.nbytes for tensor in tensors) > _MOST_SHARING * held:
        raise unsafe(path, f"tensors that are {_MOST_SHARING} times as large as the file")
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in tensors}
    end = 0
    for start, storage in sorted(storages.items()):
        if start and start < end:
            raise unsafe(path, "storages that overlap")
        end = max(end, start + storage.nbytes())
    sizes = sorted(storage.nbytes() for storage in storages.values() if storage.nbytes())
    if form.kind == "zip" and sizes != sorted(form.storages):
        raise unsafe(path, "storages of other sizes than its records")
    if sum(sizes) > held:
        raise unsafe(path, "storages that are larger than the file")


def _times(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape))
