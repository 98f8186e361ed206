"""Our training step against coqui's own, on the same batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from helpers_xtts import made_features, make_loop

from engine.settings import TrainingSettings
from engine.xtts import batches, load, mel, model

# (tokens, codes) of four clips: unequal lengths of text and audio.
LENGTHS = [(5, 20), (17, 31), (9, 8), (12, 44)]


@dataclass(frozen=True)
class Captured:
    """One batch, as coqui's GPT takes it and as ours does."""

    ids: batches.Tokens
    texts: list[Any]
    all_codes: list[Any]
    tables: batches.Tables
    text: torch.Tensor
    text_lengths: torch.Tensor
    codes: torch.Tensor
    wav_lengths: torch.Tensor
    conditioning: torch.Tensor


@pytest.fixture
def gpt(tiny_base: Path) -> Any:
    """A fresh GPT in training mode without dropout, its zero-initialised weights made random."""
    network = load.gpt_of(tiny_base)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.copy_(0.02 * torch.randn(parameter.shape, generator=generator))
    model.set_dropout(network, 0.0)
    return network.train()


@pytest.fixture
def captured(gpt: Any, tiny_base: Path) -> Captured:
    random = np.random.default_rng(0)
    ids = batches.Tokens(
        gpt.start_text_token, gpt.stop_text_token, gpt.start_audio_token, gpt.stop_audio_token
    )
    texts = [random.integers(4, 60, tokens) for tokens, _ in LENGTHS]
    codes = [random.integers(0, 32, count) for _, count in LENGTHS]
    wav_lengths = [1024 * count - int(random.integers(0, 1023)) for _, count in LENGTHS]
    audio = 0.1 * torch.randn(len(LENGTHS), batches.MAX_CONDITIONING)
    padded_text = torch.zeros(len(texts), max(map(len, texts)), dtype=torch.long)
    padded_codes = torch.zeros(len(codes), max(map(len, codes)), dtype=torch.long)
    for row, (text, code) in enumerate(zip(texts, codes, strict=True)):
        padded_text[row, : len(text)] = torch.from_numpy(text)
        padded_codes[row, : len(code)] = torch.from_numpy(code)
    return Captured(
        ids,
        texts,
        codes,
        batches.tables(texts, codes, ids),
        padded_text,
        torch.tensor([len(text) for text in texts]),
        padded_codes,
        torch.tensor(wav_lengths),
        mel.conditioning_mel(load.mel_stats_of(tiny_base))(audio),
    )


def _coqui(gpt: Any, captured: Captured) -> tuple[torch.Tensor, torch.Tensor]:
    text, audio, _ = gpt(
        captured.text,
        captured.text_lengths,
        captured.codes.clone(),
        captured.wav_lengths,
        cond_mels=captured.conditioning[:, None],
    )
    return text, audio


def _ours(gpt: Any, captured: Captured) -> tuple[torch.Tensor, torch.Tensor]:
    batch = model.to_device(captured.tables, captured.conditioning, torch.device("cpu"))
    text, audio = model.loss_sums(gpt, batch)
    targets = np.sum([batches.targets_of(*lengths) for lengths in LENGTHS], axis=0)
    return text / int(targets[0]), audio / int(targets[1])


def _gradients(gpt: Any, losses: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
    gpt.zero_grad()
    (0.01 * losses[0] + losses[1]).backward()
    return {name: p.grad.clone() for name, p in gpt.named_parameters() if p.grad is not None}


def test_losses_and_gradients_equal_those_of_coqui(gpt: Any, captured: Captured) -> None:
    theirs = _coqui(gpt, captured)
    their_gradients = _gradients(gpt, theirs)
    model.prepare_for_training(gpt, dropout=0.0)
    ours = _ours(gpt, captured)
    our_gradients = _gradients(gpt, ours)
    assert abs(theirs[0] - ours[0]).item() < 1e-5
    assert abs(theirs[1] - ours[1]).item() < 1e-5
    assert set(our_gradients) == set(their_gradients)
    for name, gradient in their_gradients.items():
        difference = (our_gradients[name] - gradient).norm()
        assert difference <= 1e-4 * gradient.norm(), name


def test_the_comparison_would_notice_a_wrong_target(gpt: Any, captured: Captured) -> None:
    wrong = captured.tables.mel_targets.copy()
    wrong[0] = (wrong[0] + 1) % 32
    changed = Captured(**{**vars(captured), "tables": _with(captured.tables, mel_targets=wrong)})
    difference = _coqui(gpt, captured)[1] - _ours(gpt, changed)[1]
    assert abs(difference).item() > 1e-5


def _with(tables: batches.Tables, **changed: Any) -> batches.Tables:
    return batches.Tables(**{**vars(tables), **changed})


@pytest.mark.parametrize(
    "patch", [model.use_fused_gelu, model.use_fused_conditioning, model.drop_cache]
)
def test_each_patch_alone_leaves_the_loss_as_it_was(
    gpt: Any, captured: Captured, patch: Any
) -> None:
    before = [loss.item() for loss in _ours(gpt, captured)]
    patch(gpt)
    after = [loss.item() for loss in _ours(gpt, captured)]
    assert after == pytest.approx(before, abs=1e-5)


def test_weighted_losses_equal_those_of_coquis_training_step(
    gpt: Any, captured: Captured, one_thread: None
) -> None:
    from TTS.tts.layers.xtts.trainer.gpt_trainer import GPTArgs, GPTTrainer

    trainer = GPTTrainer.__new__(GPTTrainer)  # its own start wants a DVAE of 200 MB
    torch.nn.Module.__init__(trainer)
    trainer.args = GPTArgs()
    trainer.xtts = SimpleNamespace(gpt=gpt)
    _, theirs = trainer.train_step(
        {
            "text_inputs": captured.text,
            "text_lengths": captured.text_lengths,
            "audio_codes": captured.codes.clone(),
            "wav_lengths": captured.wav_lengths,
            "cond_mels": captured.conditioning[:, None],
            "cond_idxs": None,
            "cond_lens": None,
        },
        None,
    )
    text, audio = _ours(gpt, captured)
    settings = TrainingSettings()
    ours = {
        "loss_text_ce": settings.text_loss_weight * text,
        "loss_mel_ce": settings.mel_loss_weight * audio,
    }
    ours["loss"] = ours["loss_text_ce"] + ours["loss_mel_ce"]
    assert set(theirs) == set(ours)
    for name, loss in theirs.items():
        assert abs(loss - ours[name]).item() < 1e-5, name


def test_coquis_masking_gives_coquis_loss(gpt: Any, captured: Captured) -> None:
    codes = [count for _, count in LENGTHS]
    crops = [(1024 * (row + 1), 1024 * (row + 3)) for row in range(len(codes))]
    _, theirs, _ = gpt(
        captured.text,
        captured.text_lengths,
        captured.codes.clone(),
        captured.wav_lengths,
        cond_mels=captured.conditioning[:, None],
        cond_idxs=torch.tensor(crops),
    )
    masked = [
        batches.masked_targets("coqui", crop, count, last=row == len(codes) - 1)
        for row, (crop, count) in enumerate(zip(crops, codes, strict=True))
    ]
    assert sum(map(len, masked)) > 0
    tables = batches.tables(captured.texts, captured.all_codes, captured.ids, masked)
    batch = model.to_device(tables, captured.conditioning, torch.device("cpu"))
    ours = model.loss_sums(gpt, batch)[1] / len(tables.mel_targets)
    assert abs(theirs - ours).item() < 1e-5


def test_computing_layers_again_changes_no_gradient(gpt: Any, captured: Captured) -> None:
    model.prepare_for_training(gpt, dropout=0.0)
    kept = _gradients(gpt, _ours(gpt, captured))
    calls = []
    model.use_checkpointing(gpt)
    gpt.gpt.h[0].mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    again = _gradients(gpt, _ours(gpt, captured))
    assert len(calls) == 2
    for name, gradient in kept.items():
        assert torch.allclose(again[name], gradient, rtol=1e-5, atol=1e-8), name


def test_padding_and_company_do_not_change_a_clips_loss(gpt: Any, captured: Captured) -> None:
    """The loss of a batch is the sum of its clips' own losses."""
    model.prepare_for_training(gpt, dropout=0.0)
    ids = batches.Tokens(
        gpt.start_text_token, gpt.stop_text_token, gpt.start_audio_token, gpt.stop_audio_token
    )
    alone = torch.zeros(2)
    for row, (tokens, codes) in enumerate(LENGTHS):
        tables = batches.tables(
            [captured.text[row, :tokens].numpy()], [captured.codes[row, :codes].numpy()], ids
        )
        batch = model.to_device(tables, captured.conditioning[row : row + 1], torch.device("cpu"))
        alone += torch.stack(model.loss_sums(gpt, batch)).detach()
    together = model.loss_sums(
        gpt, model.to_device(captured.tables, captured.conditioning, torch.device("cpu"))
    )
    assert torch.stack(together).tolist() == pytest.approx(alone.tolist(), rel=1e-5)


@pytest.mark.parametrize(("make", "n_fft"), [(mel.conditioning_mel, 2048), (mel.codes_mel, 1024)])
def test_spectrograms_equal_those_of_coqui(tmp_path: Path, make: Any, n_fft: int) -> None:
    from TTS.tts.layers.tortoise.arch_utils import TorchMelSpectrogram

    stats = torch.rand(80) + 1.0
    torch.save(stats, tmp_path / "mel_stats.pth")
    theirs = TorchMelSpectrogram(
        filter_length=n_fft, sampling_rate=22_050, mel_norm_file=str(tmp_path / "mel_stats.pth")
    )
    audio = torch.randn(2, 33_000)
    assert torch.equal(make(stats)(audio), theirs(audio))


def test_weights_that_do_not_fit_are_named(tiny_base: Path) -> None:
    from engine.errors import BaseModelError

    state = dict(load.gpt_of(tiny_base).state_dict())
    state["mel_head.bias"] = torch.zeros(3)
    del state["final_norm.weight"]
    with pytest.raises(BaseModelError, match=r"final_norm\.weight is missing.*mel_head\.bias"):
        load.gpt_from(tiny_base, state, tiny_base / "model.pth")


def test_smoothing_spreads_a_share_of_each_target(gpt: Any, captured: Captured) -> None:
    """As Szegedy et al. (2016, section 7): the loss is mixed with that of all classes alike."""
    batch = model.to_device(captured.tables, captured.conditioning, torch.device("cpu"))
    plain, smoothed = model.loss_sums(gpt, batch), model.loss_sums(gpt, batch, 0.2)
    hidden = model.hidden_states(gpt, model.prompt_of(gpt, batch.conditioning), batch)
    for number, (head, places) in enumerate(
        ((gpt.text_head, batch.text_positions), (gpt.mel_head, batch.mel_positions))
    ):
        alike = -head(hidden[places]).log_softmax(-1).mean(-1).sum()
        expected = 0.8 * plain[number] + 0.2 * alike
        assert torch.allclose(smoothed[number], expected, rtol=1e-5)
        assert not torch.allclose(smoothed[number], plain[number])


def test_held_out_losses_are_never_smoothed(tmp_path: Path, tiny_base: Path) -> None:
    losses = {}
    features = made_features(tmp_path, tiny_base, train=2, held_out=1)
    for smoothing in (0.0, 0.3):
        task = make_loop(tmp_path, tiny_base, features, label_smoothing=smoothing, dropout=0.0).task
        batch = task.batch(task.held_out()[0], None)
        losses[smoothing, "train"] = task.sums(batch)["mel"].item()
        task.model.eval()
        losses[smoothing, "eval"] = task.sums(batch)["mel"].item()
    assert losses[0.3, "eval"] == pytest.approx(losses[0.0, "eval"])
    assert losses[0.3, "train"] != pytest.approx(losses[0.0, "train"])
