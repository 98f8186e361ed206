"""The stated memory model, and the batches that it suggests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.training import memory
from engine.training.memory import Kind, Precision, suggest

GB = 1_000_000_000
EVERY: list[tuple[Kind, Precision]] = [("cuda", "fp32"), ("cuda", "bf16"), ("cpu", "fp32")]


@pytest.mark.parametrize(("device", "precision"), EVERY)
@pytest.mark.parametrize("wanted", [1, 4, 7, 16, 32, 60])
def test_more_memory_never_suggests_a_smaller_batch(
    device: Kind, precision: Precision, wanted: int
) -> None:
    last = 0
    for tenths in range(0, 1500, 3):
        found = suggest(tenths * GB // 10, device, wanted, precision=precision)
        assert found.batch_size * found.accumulation == wanted
        assert found.batch_size >= last
        assert not found.fits or found.estimated_bytes < tenths * GB // 10
        last = found.batch_size
    assert last == wanted


@pytest.mark.parametrize(("device", "precision"), EVERY)
def test_the_least_is_where_it_begins_to_fit(device: Kind, precision: Precision) -> None:
    least = memory.least_bytes(device, precision)
    assert suggest(least, device, 8, precision=precision).fits
    short = suggest(least - 1, device, 8, precision=precision)
    assert (short.fits, short.batch_size, short.accumulation) == (False, 1, 8)
    assert "only" in short.why
    assert "estimate" in short.why


def test_longer_clips_take_more() -> None:
    for device, precision in EVERY:
        sizes = [memory.clip_bytes(seconds, device, precision) for seconds in (1, 3, 6, 11.6)]
        assert sizes == sorted(sizes)
    assert suggest(15 * GB, "cuda", 32, 4.0).batch_size > suggest(15 * GB, "cuda", 32).batch_size


def test_what_was_measured_comes_out() -> None:
    # The README's rehearsal: 9.6 GB for batches of two clips of some 5 s on CPU.
    assert memory.training_bytes(2, "cpu", "fp32", 5.0) == pytest.approx(9.6e9, rel=0.02)
    # A checkpoint of the full size: 5.3 GB.
    assert pytest.approx(5.3e9, rel=0.01) == memory.CHECKPOINT_BYTES


@pytest.mark.parametrize(
    ("card", "least", "most"), [(11.5, 1, 4), (15.5, 4, 8), (23.5, 8, 16), (79.0, 32, 32)]
)
def test_common_cards_get_common_batches(card: float, least: int, most: int) -> None:
    found = suggest(round(card * GB), "cuda", 32, precision="bf16")
    assert found.fits
    assert least <= found.batch_size <= most
    assert "the first step measures it" in found.why


def test_what_to_do_depends_on_what_would_help() -> None:
    nearly = suggest(9_300_000_000, "cuda", 8).why
    assert "max_clip_seconds" in nearly
    assert "nvidia-smi" in nearly
    assert "max_clip_seconds" not in suggest(6 * GB, "cuda", 8).why
    assert "16 GB of RAM" in suggest(6 * GB, "cpu", 8).why


def test_less_than_one_clip_is_no_batch() -> None:
    with pytest.raises(ValueError, match="effective batch of 0"):
        suggest(GB, "cuda", 0)


@pytest.mark.parametrize("size", ["FULL", "TINY"])
def test_the_parameters_are_those_of_the_network(size: str, tmp_path: Path) -> None:
    import torch

    from engine.xtts import random_base
    from engine.xtts.network import network_of

    of_size = getattr(random_base, size)
    width, layers, rows = of_size.channels, of_size.layers, of_size.text_tokens or 300
    args = {"gpt_layers": layers, "gpt_n_model_channels": width, "gpt_number_text_tokens": rows}
    (tmp_path / "config.json").write_text(json.dumps({"model_args": args}))
    network = network_of(tmp_path)
    assert network is not None
    with torch.device("meta"):
        from TTS.tts.layers.xtts.gpt import GPT

        gpt = GPT(
            layers=layers,
            model_dim=width,
            heads=16,
            max_text_tokens=402,
            max_mel_tokens=605,
            max_prompt_tokens=70,
            number_text_tokens=rows,
            num_audio_tokens=1026,
            start_audio_token=1024,
            stop_audio_token=1025,
            use_perceiver_resampler=True,
            code_stride_len=1024,
        )
    assert sum(p.numel() for p in gpt.parameters()) == network.parameters
    assert (network == memory.XTTS) == (size == "FULL")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model_args": {"gpt_layers": -1}}', "\xff"])
def test_a_config_that_tells_no_sizes_gives_none(text: str, tmp_path: Path) -> None:
    from engine.xtts.network import network_of

    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    assert network_of(tmp_path) is None
    assert network_of(tmp_path / "gone") is None


def test_a_smaller_network_takes_less() -> None:
    tiny = memory.Network(parameters=644_214, layers=2, channels=64, heads=4)
    assert memory.training_bytes(4, "cpu", network=tiny) < 2 * GB
    assert suggest(4 * GB, "cpu", 4, network=tiny).batch_size == 4
