from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_recordings import piece

from engine.audio import ge2e
from engine.errors import BaseModelError
from engine.xtts import load, speaker
from engine.xtts.speaker import BaseEncoder, PackagedEncoder

RATE = speaker.RATE


@pytest.fixture(scope="module")
def network(tiny_base: Path) -> Any:
    """coqui's speaker encoder with batch norms as training leaves them."""
    import torch

    model = load.synthesizer_of(tiny_base, load.gpt_of(tiny_base))
    torch.manual_seed(5)
    encoder = model.hifigan_decoder.speaker_encoder
    for name, buffer in encoder.named_buffers():
        if name.endswith("running_mean"):
            buffer.add_(0.1 * torch.randn(buffer.shape))
    return encoder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, network: Any) -> Path:
    """A base folder that holds a trained speaker encoder, and what every base has more of."""
    import torch

    folder = tmp_path_factory.mktemp("trained")
    prefix = "hifigan_decoder.speaker_encoder."
    state = {prefix + name: tensor for name, tensor in network.state_dict().items()}
    torch.save({"model": state | {"gpt.bias": torch.zeros(3)}}, folder / "model.pth")
    return folder


def test_a_base_hears_as_coqui_does(network: Any, trained: Path) -> None:
    import torch

    speech = piece("journey", 14.0, RATE)
    # As they are, and longer ones by their middle.
    clips = [speech[:32_000], speech[32_000:40_000], speech[40_000:72_000], speech[:5_000]]
    long = speech[:100_001]
    found = BaseEncoder(trained).embed([*clips, long])
    middle = long[(100_001 - 64_000) // 2 :][:64_000]
    with torch.inference_mode():
        expected = [
            network.forward(torch.from_numpy(clip.copy())[None], l2_norm=True)[0].numpy()
            for clip in (*clips, middle)
        ]
    assert found.shape == (5, 512)
    assert np.abs(found - np.array(expected)).max() < 1e-5
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_trained_base_is_heard_with_its_own_encoder(trained: Path, tmp_path: Path) -> None:
    choice = speaker.choose(trained, tmp_path / "memory")
    assert choice is not None
    assert (choice.kind, choice.path) == ("base", trained / "model.pth")
    assert isinstance(speaker.load(choice), BaseEncoder)


@pytest.mark.parametrize("without", ["training", "model.pth"])
def test_a_random_or_partial_base_takes_the_packaged_one(
    without: str, tiny_base: Path, tmp_path: Path
) -> None:
    choice = speaker.choose(tiny_base if without == "training" else tmp_path, tmp_path / "memory")
    assert choice is not None
    assert (choice.kind, choice.path) == ("packaged", ge2e.packaged())
    assert isinstance(speaker.load(choice), PackagedEncoder)


def test_with_neither_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ge2e, "packaged", lambda: None)
    assert speaker.choose(tmp_path, tmp_path / "memory") is None
    monkeypatch.undo()
    assert speaker.choose(tmp_path, tmp_path / "memory") is not None


def test_a_choice_is_remembered_until_the_file_changes(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes((trained / "model.pth").read_bytes())
    before = speaker.choose(tmp_path, tmp_path / "memory")
    # Of the same size and time: whoever reads it now finds no weights.
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert speaker.choose(tmp_path, tmp_path / "memory") == before
    path.unlink()
    after = speaker.choose(tmp_path, tmp_path / "memory")
    assert after is not None
    assert before is not None
    assert (before.kind, after.kind) == ("base", "packaged")
    assert before.digest != after.digest


def test_an_encoder_of_another_shape_is_refused(tmp_path: Path) -> None:
    import torch

    state = {"hifigan_decoder.speaker_encoder.bn1.running_mean": torch.ones(32)}
    torch.save({"model": state}, tmp_path / "model.pth")
    choice = speaker.choose(tmp_path, tmp_path / "memory")
    assert choice is not None
    with pytest.raises(BaseModelError, match="lacks its speaker encoder"):
        speaker.load(choice)


def test_loudness_and_steady_noise_hardly_change_a_voice(one_thread: None) -> None:
    path = ge2e.packaged()
    assert path is not None
    encoder = PackagedEncoder(path)
    speech = piece("journey", 6.0, RATE)
    noise = 0.1 * np.std(speech) * np.random.default_rng(3).standard_normal(len(speech))
    plain, quiet, noisy = encoder.embed([speech, speech / 50, speech + noise.astype(np.float32)])
    assert 1 - plain @ quiet < 0.001
    assert 1 - plain @ noisy < 0.1
    silence = encoder.embed([np.zeros(RATE, np.float32)])
    assert np.isfinite(silence).all()
