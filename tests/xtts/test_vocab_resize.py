"""Longer text tables: old rows stay, new ones begin as what the text was before."""

from __future__ import annotations

import torch

from engine.xtts import vocab_resize
from engine.xtts.vocab_resize import BIAS, EMBEDDING, HEAD


def made_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        EMBEDDING: torch.randn(50, 8),
        HEAD: torch.randn(50, 8),
        BIAS: torch.randn(50),
        "gpt.other": torch.ones(3),
    }


def test_rows_are_appended_as_means() -> None:
    state = made_state()
    wide = vocab_resize.widened(state, [[], [3, 4], [50, 51]])
    for name in (EMBEDDING, HEAD):
        table = wide[name]
        assert table.shape == (53, 8)
        assert torch.equal(table[:50], state[name])
        torch.testing.assert_close(table[51], (table[3] + table[4]) / 2)
        torch.testing.assert_close(table[52], (table[50] + table[51]) / 2)
    assert torch.equal(wide[BIAS], torch.cat([state[BIAS], state[BIAS].min().expand(3)]))
    assert wide["gpt.other"] is state["gpt.other"]


def test_new_characters_begin_near_the_mean_and_apart() -> None:
    state = made_state()
    wide = vocab_resize.widened(state, [[], []])
    mean, deviation = state[EMBEDDING].mean(0), state[EMBEDDING].std(0)
    first, second = wide[EMBEDDING][50], wide[EMBEDDING][51]
    assert not torch.equal(first, second)
    assert ((first - mean).abs() < 0.5 * deviation).all()
    again = vocab_resize.widened(state, [[], []])
    assert torch.equal(again[EMBEDDING], wide[EMBEDDING])


def test_half_precision_stays_half() -> None:
    state = {name: tensor.half() for name, tensor in made_state().items()}
    wide = vocab_resize.widened(state, [[1, 2]])
    assert {tensor.dtype for tensor in wide.values()} == {torch.float16}
    assert torch.equal(wide[HEAD][:50], state[HEAD])
