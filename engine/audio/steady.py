"""Steady noise taken out of speech by spectral subtraction (Boll 1979)."""

from __future__ import annotations

import numpy as np

from engine.audio.decode import Samples

_WINDOW = 512
_HOP = 256
# Every band is quiet for this share of a clip: then only the noise is heard in it.
_QUIET_SHARE = 0.2
# The quietest moments hold less noise than the average one.
_OVERSUBTRACTION = 3.0
_LEAST_GAIN = 0.001
_SMOOTH_BANDS = 9


def without_steady_noise(samples: Samples) -> Samples:
    """Samples of shape (n,) with what sounds all the time taken out, for machines to listen to."""
    import torch

    window = torch.hann_window(_WINDOW)
    padded = np.zeros(max(len(samples), _WINDOW), np.float32)
    padded[: len(samples)] = samples
    spectrum = torch.stft(
        torch.from_numpy(padded), _WINDOW, _HOP, window=window, return_complex=True
    )
    power = spectrum.abs().square()
    place = 1 + int(_QUIET_SHARE * (power.shape[1] - 1))
    noise = power.kthvalue(place, dim=1).values[None, None]
    noise = torch.nn.functional.avg_pool1d(
        noise, _SMOOTH_BANDS, 1, _SMOOTH_BANDS // 2, count_include_pad=False
    )[0].T
    gain = (1 - _OVERSUBTRACTION * noise / power.clamp(min=1e-12)).clamp(min=_LEAST_GAIN).sqrt()
    clean = torch.istft(spectrum * gain, _WINDOW, _HOP, window=window, length=len(padded))
    return np.asarray(clean.numpy()[: len(samples)])
