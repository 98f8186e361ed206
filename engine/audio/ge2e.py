"""Who speaks, as 256 numbers: the speaker encoder of Resemblyzer (Wan et al. 2018, GE2E loss).

Written after Resemblyzer 0.1.4, Apache-2.0 (https://github.com/resemble-ai/Resemblyzer), whose
package has the weights; nothing of the package itself is imported. Its hyperparameters: power mel
spectrograms of 40 bands, windows of 25 ms every 10 ms at 16 kHz, three LSTM layers of 256 over
partial utterances of 1.6 s, 1.3 of them a second.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine import weights
from engine.audio.decode import Samples
from engine.errors import DamagedError
from engine.text import clean

if TYPE_CHECKING:
    import torch

RATE = 16_000
_SIZE = 256
_LAYERS = 3
_BANDS = 40
_WINDOW, _HOP = 400, 160
_PARTIAL_FRAMES = 160
_STEP_FRAMES = round(RATE / 1.3 / _HOP)
# A last partial utterance that holds less sound than this is left out.
_LEAST_COVERAGE = 0.75
_BATCH = 64


def packaged() -> Path | None:
    """The weights in the installed package, None where it is not installed."""
    spec = importlib.util.find_spec("resemblyzer")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "pretrained.pt"
        if path.is_file():
            return path
    return None


class Ge2e:
    """The encoder with its weights, on the CPU."""

    def __init__(self, path: Path) -> None:
        """Raises DamagedError when the file does not hold them."""
        import torch
        from torchaudio.functional import melscale_fbanks

        content = weights.load(path)
        state = content.get("model_state") if isinstance(content, dict) else None
        with torch.device("meta"):
            self._lstm = torch.nn.LSTM(_BANDS, _SIZE, _LAYERS, batch_first=True)
            self._linear = torch.nn.Linear(_SIZE, _SIZE)
        try:
            self._lstm.load_state_dict(_below("lstm.", state or {}), assign=True)
            self._linear.load_state_dict(_below("linear.", state or {}), assign=True)
        except RuntimeError as error:
            raise DamagedError(
                f"{clean(str(path))} does not hold the speaker encoder of Resemblyzer 0.1.4. "
                "Install that package again."
            ) from error
        self._bands = melscale_fbanks(
            _WINDOW // 2 + 1, 0.0, RATE / 2, _BANDS, RATE, norm="slaney", mel_scale="slaney"
        )
        self._window = torch.hann_window(_WINDOW)

    def embed(self, clips: Sequence[Samples]) -> NDArray[np.float32]:
        """The voices in clips at 16 kHz, each of shape (n,): unit vectors, shape (clips, 256).

        Equal to Resemblyzer's `embed_utterance`.
        """
        import torch

        with torch.inference_mode():
            partials = [self._partials(clip) for clip in clips]
            every = torch.cat(partials)
            batches = [every[start : start + _BATCH] for start in range(0, len(every), _BATCH)]
            voices = torch.cat([self._forward(batch) for batch in batches])
            ends = np.cumsum([len(own) for own in partials])
            means = [
                voices[end - len(own) : end].mean(dim=0)
                for own, end in zip(partials, ends, strict=True)
            ]
            return torch.nn.functional.normalize(torch.stack(means)).numpy()

    def _partials(self, clip: Samples) -> torch.Tensor:
        """The mel spectrograms of a clip's partial utterances, shape (partials, 160, 40)."""
        import torch

        starts = _starts(len(clip))
        padded = np.zeros(max(len(clip), (starts[-1] + _PARTIAL_FRAMES) * _HOP), np.float32)
        padded[: len(clip)] = clip
        spectrum = torch.stft(
            torch.from_numpy(padded),
            _WINDOW,
            _HOP,
            window=self._window,
            pad_mode="constant",
            return_complex=True,
        )
        mel = spectrum.abs().square().T @ self._bands
        return torch.stack([mel[start : start + _PARTIAL_FRAMES] for start in starts])

    def _forward(self, partials: torch.Tensor) -> torch.Tensor:
        import torch

        _, (hidden, _) = self._lstm(partials)
        return torch.nn.functional.normalize(self._linear(hidden[-1]).relu())


def _starts(samples: int) -> list[int]:
    """The first frame of each partial utterance; there is at least one."""
    frames = samples // _HOP + 1
    starts = list(range(0, max(1, frames - _PARTIAL_FRAMES + _STEP_FRAMES + 1), _STEP_FRAMES))
    coverage = (samples - starts[-1] * _HOP) / (_PARTIAL_FRAMES * _HOP)
    if coverage < _LEAST_COVERAGE and len(starts) > 1:
        starts.pop()
    return starts


def _below(prefix: str, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
