"""Plain tensors of safetensors files, one at a time and without torch.

safetensors itself writes whole dictionaries only, and its numpy side knows no bfloat16, which some
pretrains come in; its own reader checks each file before it is mapped here. The format: the length
of a JSON header in 8 bytes, the header with type, shape and place of each tensor, then their bytes
without gaps (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DamagedError, FailedError
from engine.text import clean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_ALIGNMENT = 8


@dataclass(frozen=True)
class Spec:
    """Of one tensor: its type as safetensors names it ("F32"), and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def bytes(self) -> int:
        return self.count * _SIZES[self.dtype]


class TensorFile:
    """A safetensors file of floating point tensors; `specs` in the order of their bytes."""

    def __init__(self, path: Path) -> None:
        """Read its header. Raises DamagedError for any other file."""
        from safetensors import SafetensorError, safe_open

        self.path = path
        try:
            with safe_open(path, framework="np"):
                pass
        except (SafetensorError, OSError) as error:
            raise DamagedError(
                f"{clean(str(path))} is not a whole safetensors file ({clean(str(error))}). "
                "Get the pretrain again."
            ) from error
        with path.open("rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            header: dict[str, Any] = json.loads(handle.read(length))
        header.pop("__metadata__", None)
        self._offsets = {
            name: 8 + length + int(entry["data_offsets"][0]) for name, entry in header.items()
        }
        self.specs = {
            name: Spec(header[name]["dtype"], tuple(header[name]["shape"]))
            for name in sorted(header, key=lambda name: self._offsets[name])
        }
        for name, spec in self.specs.items():
            if spec.dtype not in _SIZES:
                raise DamagedError(
                    f"{clean(str(path))} holds {clean(name)} as {clean(spec.dtype)}, and weights "
                    "are floating point numbers. Take another pretrain."
                )

    def read(self, name: str) -> Floats:
        """A tensor in 32 bits."""
        import numpy as np

        spec = self.specs[name]
        with self.path.open("rb") as handle:
            handle.seek(self._offsets[name])
            data = handle.read(spec.bytes)
        if spec.dtype == "BF16":
            return _widened(np.frombuffer(data, "<u2")).reshape(spec.shape)
        # Values beyond 32 bits become infinite, which `write` refuses.
        with np.errstate(over="ignore"):
            values = np.frombuffer(data, _NUMPY[spec.dtype]).astype(np.float32)
        return values.reshape(spec.shape)


def write(
    path: Path,
    specs: Mapping[str, Spec],
    value: Callable[[str], Floats],
    written: Callable[[int], None],
) -> None:
    """Write a new file of tensors that `value` gives by name, one at a time.

    `written` gets the bytes of each. Raises FailedError when one is not finite in its type; the
    caller removes the file then.
    """
    with path.open("xb") as handle:
        handle.write(_header(specs))
        for name, spec in specs.items():
            data = _bytes(value(name), spec, name)
            handle.write(data)
            written(len(data))


def _header(specs: Mapping[str, Spec]) -> bytes:
    # "pt" is what transformers and others ask for before they read a file.
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, spec in specs.items():
        header[name] = {
            "dtype": spec.dtype,
            "shape": list(spec.shape),
            "data_offsets": [place, place + spec.bytes],
        }
        place += spec.bytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _bytes(values: Floats, spec: Spec, name: str) -> bytes:
    import numpy as np

    with np.errstate(over="ignore"):
        narrow = _narrowed(values) if spec.dtype == "BF16" else values.astype(_NUMPY[spec.dtype])
    if not np.isfinite(_widened(narrow) if spec.dtype == "BF16" else narrow).all():
        raise FailedError(
            f"{clean(name)} would hold values that are no finite {spec.dtype} numbers. Use smaller "
            "weights, or pretrains without such values; 'voicetui pretrains inspect' finds them."
        )
    return narrow.tobytes()


def _widened(halves: NDArray[np.uint16]) -> Floats:
    """bfloat16 as float32, of which it is the upper half."""
    import numpy as np

    return (halves.astype(np.uint32) << 16).view(np.float32)


def _narrowed(values: Floats) -> NDArray[np.uint16]:
    """float32 as bfloat16, rounded to the nearest, to even between two."""
    import numpy as np

    bits = np.ascontiguousarray(values).view(np.uint32)
    narrow = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    # Rounding would carry the bits of a NaN over into a number.
    return np.where(np.isnan(values), np.uint16(0x7FC0), narrow)
