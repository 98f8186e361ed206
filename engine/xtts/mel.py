"""The two mel spectrograms of XTTS: one that conditions the GPT, one that the DVAE encodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SAMPLE_RATE = 22_050
# coqui's TorchMelSpectrogram as GPTTrainer builds it (TTS/tts/layers/xtts/trainer/gpt_trainer.py).
_CONDITIONING_FFT = 2048
_CODES_FFT = 1024
_WINDOW = 1024
_HOP = 256


class Mel:
    """Log mel spectrogram divided by the base's statistics.

    Takes audio (B, samples) at 22,050 Hz; gives (B, 80, samples // 256 + 1).
    """

    def __init__(self, n_fft: int, stats: torch.Tensor) -> None:
        from torchaudio.transforms import MelSpectrogram

        self._transform: Any = MelSpectrogram(
            sample_rate=SAMPLE_RATE,
            n_fft=n_fft,
            win_length=_WINDOW,
            hop_length=_HOP,
            f_min=0,
            f_max=8000,
            n_mels=80,
            power=2,
            normalized=False,
            norm="slaney",
        )
        self._stats = stats[None, :, None]

    def to(self, device: torch.device) -> Mel:
        self._transform = self._transform.to(device)
        self._stats = self._stats.to(device)
        return self

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        mel: torch.Tensor = self._transform(audio)
        return mel.clamp(min=1e-5).log() / self._stats


def conditioning_mel(stats: torch.Tensor) -> Mel:
    """The spectrogram from which the GPT hears the voice."""
    return Mel(_CONDITIONING_FFT, stats)


def codes_mel(stats: torch.Tensor) -> Mel:
    """The spectrogram that the DVAE turns into codes."""
    return Mel(_CODES_FFT, stats)
