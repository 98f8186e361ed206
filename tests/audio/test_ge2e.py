from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from helpers_recordings import piece

from engine.audio import ge2e
from engine.audio.ge2e import Ge2e
from engine.audio.steady import without_steady_noise
from engine.errors import DamagedError


def packaged() -> Path:
    path = ge2e.packaged()
    assert path is not None
    return path


def test_it_hears_what_the_package_itself_hears(
    monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    # The package cuts silence with a module that has to be compiled; nothing here does.
    monkeypatch.setitem(sys.modules, "webrtcvad", types.ModuleType("webrtcvad"))
    resemblyzer = pytest.importorskip("resemblyzer")
    reference = resemblyzer.VoiceEncoder("cpu", verbose=False)
    speech = piece("journey", 12.0, ge2e.RATE)
    # Shorter than a partial utterance, one to the sample, just too little for one more, many.
    clips = [speech[8000 : 8000 + length] for length in (4_000, 25_600, 38_079, 160_000)]
    found = Ge2e(packaged()).embed(clips)
    expected = np.array([reference.embed_utterance(clip) for clip in clips])
    assert found.shape == (4, 256)
    assert np.abs(found - expected).max() < 1e-5


def test_the_package_is_found_and_never_imported() -> None:
    code = (
        "import sys; from engine.audio import ge2e; path = ge2e.packaged();"
        "assert path.name == 'pretrained.pt', path;"
        "assert not {'resemblyzer', 'torch', 'librosa'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_other_weights_are_refused_by_name(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "other.pt"
    torch.save({"model_state": {"lstm.weight_ih_l0": torch.zeros(2, 2)}}, path)
    with pytest.raises(DamagedError, match=r"other\.pt does not hold the speaker encoder"):
        Ge2e(path)


def test_steady_noise_goes_and_speech_stays(one_thread: None) -> None:
    speech = piece("journey", 6.0, ge2e.RATE)
    noise = 0.02 * np.random.default_rng(3).standard_normal(len(speech)).astype(np.float32)
    kept = without_steady_noise(speech)
    assert kept.shape == speech.shape
    assert np.corrcoef(kept, speech)[0, 1] > 0.99
    before = np.sum((speech + noise - speech) ** 2)
    after = np.sum((without_steady_noise(speech + noise) - speech) ** 2)
    assert after < 0.6 * before
    assert without_steady_noise(speech[:100]).shape == (100,)
