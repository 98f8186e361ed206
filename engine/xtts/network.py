"""How large a base's network is, from its config.json alone: what memory is estimated from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.training.memory import XTTS, Network

# Fixed in coqui's GPT: mel bands, attention blocks and their layout, the perceiver's sizes.
_MEL_BANDS, _CONDITIONING_BLOCKS = 80, 6
_LATENTS, _PERCEIVER_LAYERS, _PERCEIVER_INNER = 32, 2, 512
# Positions beside those of the config's longest text and audio: START, STOP, and the prompt's.
_TEXT_EXTRA, _AUDIO_EXTRA = 2, 3
# A config is some kilobytes; what is larger is none.
_MOST_BYTES = 1 << 20


def network_of(folder: Path) -> Network | None:
    """The sizes of a base; None where its config.json is missing or tells none."""
    path = folder / "config.json"
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        args = json.loads(path.read_bytes())["model_args"]
        layers, channels, heads = (
            _count(args, name, usual)
            for name, usual in (
                ("gpt_layers", XTTS.layers),
                ("gpt_n_model_channels", XTTS.channels),
                ("gpt_n_heads", XTTS.heads),
            )
        )
        text = _count(args, "gpt_number_text_tokens", XTTS.text_classes)
        mel = _count(args, "gpt_num_audio_tokens", XTTS.mel_classes)
        positions = _count(args, "gpt_max_text_tokens", 402) + _TEXT_EXTRA
        positions += _count(args, "gpt_max_audio_tokens", 605) + _AUDIO_EXTRA
    except (OSError, ValueError, KeyError, TypeError):
        return None
    count = trained_parameters(layers, channels, text, mel, positions)
    return Network(count, layers, channels, heads, text, mel)


def _count(args: dict[str, Any], name: str, usual: int) -> int:
    """A size; coqui writes null for what it takes from elsewhere. Raises ValueError."""
    value = args.get(name)
    if value is None:
        return usual
    if type(value) is not int or not 0 < value < 1_000_000:
        raise ValueError(f"{name} is {value!r}")
    return value


def trained_parameters(layers: int, channels: int, text: int, mel: int, positions: int) -> int:
    """The parameters of coqui's GPT with a perceiver, as its modules are built.

    `text` and `mel` are the classes of the two heads.
    """
    d = channels
    blocks = layers * (12 * d * d + 13 * d) + 4 * d
    classes = (text + mel) * (2 * d + 1) + positions * d
    conditioning = (_MEL_BANDS + 1) * d + _CONDITIONING_BLOCKS * (4 * d * d + 6 * d)
    inner = int(d * 4 * 2 / 3)
    layer = 4 * _PERCEIVER_INNER * d + 3 * d * inner + 2 * inner + d
    return blocks + classes + conditioning + _LATENTS * d + _PERCEIVER_LAYERS * layer + d
