"""Who speaks, as a vector: the speaker encoder of a base, or the packaged one for random bases.

XTTS hears voices with coqui's `ResNetSpeakerEncoder` (H/ASP, Heo et al. 2020), whose weights lie in
model.pth beside its vocoder. A random base has them untrained; that shows in its batch norms, which
hold the mean 0 and the variance 1 that they were made with: training moves every one of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.audio import ge2e
from engine.audio.decode import Samples
from engine.audio.steady import without_steady_noise
from engine.errors import BaseModelError
from engine.files import write_json
from engine.text import clean
from engine.xtts.load import keep_thread_count, state_of

if TYPE_CHECKING:
    import torch

RATE = 16_000
_PREFIX = "hifigan_decoder.speaker_encoder."
# As coqui's HifiDecoder builds it (TTS/tts/layers/xtts/hifigan_decoder.py).
_AUDIO = {
    "fft_size": 512,
    "win_length": 400,
    "hop_length": 160,
    "sample_rate": RATE,
    "preemphasis": 0.97,
    "num_mels": 64,
}
# The network costs far more than the packaged one; the middle of a clip tells who speaks.
_MOST_SECONDS = 4.0
_SIZE = 512
_LEVEL_DB = -30.0

Kind = Literal["base", "packaged"]


class Encoder(Protocol):
    """Turns clips at 16 kHz, each of shape (n,), into unit vectors of shape (clips, size)."""

    def embed(self, clips: Sequence[Samples]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Choice:
    """An encoder that can be had: whose it is, the file of its weights, and a hash of what it is."""

    kind: Kind
    path: Path
    digest: str


def choose(base: Path, memory: Path) -> Choice | None:
    """The encoder for projects on a base folder; None when neither it nor the package has one.

    The answer is remembered in the file `memory` by the size and time of the files, since only
    torch could tell again. Raises DamagedError and UnsafeFileError when model.pth cannot be read,
    and DiskFullError.
    """
    model, packaged = base / "model.pth", ge2e.packaged()
    stamps = [_stamp(model), _stamp(packaged)]
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        held = json.loads(memory.read_bytes())
        if held["stamps"] == stamps:
            return _choice(held["kind"], held["digest"], model, packaged)
    kind, digest = _look(model, packaged)
    write_json(memory, {"stamps": stamps, "kind": kind, "digest": digest})
    return _choice(kind, digest, model, packaged)


def load(choice: Choice) -> Encoder:
    """The chosen encoder with its weights, on the CPU. Raises BaseModelError and DamagedError."""
    if choice.kind == "packaged":
        return PackagedEncoder(choice.path)
    return BaseEncoder(choice.path.parent)


def _choice(kind: str, digest: str, model: Path, packaged: Path | None) -> Choice | None:
    if kind == "base":
        return Choice("base", model, digest)
    return Choice("packaged", packaged, digest) if kind == "packaged" and packaged else None


def _look(model: Path, packaged: Path | None) -> tuple[str, str]:
    """Whose encoder to use and a hash of it; "" and "" when there is none."""
    state = _state_of(model.parent) if model.is_file() else {}
    if is_trained(state):
        return "base", _digest(state)
    if packaged is None:
        return "", ""
    return "packaged", hashlib.sha256(packaged.read_bytes()).hexdigest()


def is_trained(state: Mapping[str, torch.Tensor]) -> bool:
    """Whether tensors of a speaker encoder have been trained, told by its batch norms."""
    means = [tensor for name, tensor in state.items() if name.endswith(".running_mean")]
    return any(bool(mean.any()) for mean in means)


class PackagedEncoder:
    """Resemblyzer's encoder, which hears noise as a part of the voice: steady noise goes first."""

    def __init__(self, weights: Path) -> None:
        """Raises DamagedError when the file does not hold them."""
        self._network = ge2e.Ge2e(weights)

    def embed(self, clips: Sequence[Samples]) -> NDArray[np.float32]:
        """The voices in clips at 16 kHz, each of shape (n,): unit vectors, shape (clips, 256)."""
        with _one_thread():
            return self._network.embed([levelled(without_steady_noise(clip)) for clip in clips])


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch on one thread: the pieces are too small to share, and waiting for others costs.

    Measured on two busy cores, a second thread made the networks 2 to 8 times as slow.
    """
    import torch

    with keep_thread_count():
        torch.set_num_threads(1)
        yield


def levelled(clip: Samples) -> Samples:
    """A clip at -30 dB RMS, as Resemblyzer wants it: its spectrograms keep the level."""
    power = float(np.mean(np.square(clip, dtype=np.float64))) if len(clip) else 0.0
    if not power:
        return clip
    return np.asarray(clip * 10 ** (_LEVEL_DB / 20) / power**0.5, np.float32)


class BaseEncoder:
    """The speaker encoder of a base. Of each clip it hears the middle 4 s."""

    def __init__(self, base: Path) -> None:
        """Raises BaseModelError when model.pth has no encoder that fits."""
        import torch

        with keep_thread_count():
            from TTS.encoder.models.resnet import ResNetSpeakerEncoder

        state = _state_of(base)
        self._network: Any = ResNetSpeakerEncoder(
            input_dim=_AUDIO["num_mels"],
            proj_dim=_SIZE,
            log_input=True,
            use_torch_spec=True,
            audio_config=_AUDIO,
        )
        try:
            self._network.load_state_dict({n: t.float() for n, t in state.items()})
        except RuntimeError as error:
            raise BaseModelError(
                f"{clean(str(base / 'model.pth'))} lacks its speaker encoder "
                f"({clean(str(error).splitlines()[-1].strip())}). Fetch the base again."
            ) from error
        self._network.eval()
        self._torch = torch

    def embed(self, clips: Sequence[Samples]) -> NDArray[np.float32]:
        """The voices in clips at 16 kHz, each of shape (n,): unit vectors, shape (clips, 512)."""
        vectors = np.empty((len(clips), _SIZE), np.float32)
        with _one_thread():
            for place, clip in enumerate(clips):
                # One by one: padding would change what the network's norms and attention see.
                audio = self._torch.from_numpy(_middle(clip))
                vectors[place] = self._network.inference(audio[None], l2_norm=True)[0].numpy()
        return vectors


def _middle(clip: Samples) -> Samples:
    """The middle of a clip, 4 s at most."""
    length = min(round(_MOST_SECONDS * RATE), len(clip))
    first = (len(clip) - length) // 2
    return np.array(clip[first : first + length], np.float32)


def _state_of(base: Path) -> dict[str, torch.Tensor]:
    """The tensors of a base's speaker encoder, mapped from model.pth; nothing else is read."""
    return {
        name.removeprefix(_PREFIX): tensor
        for name, tensor in state_of(base).items()
        if name.startswith(_PREFIX)
    }


def _digest(state: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def _stamp(path: Path | None) -> list[int] | None:
    """What changes when a file does."""
    if path is None or not path.is_file():
        return None
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
