"""An XTTS base of random weights in the published layout, for the demo, the tests and rehearsals.

It loads and trains like a real one and speaks noise.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.files import atomic_dir, atomic_file, write_text
from engine.languages import LANGUAGES
from engine.xtts.load import keep_thread_count, new_dvae

_SPECIALS = ("[STOP]", "[UNK]", "[SPACE]", "[START]")
_LETTERS = (
    string.ascii_lowercase
    + string.digits
    + "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžčćđěřůąęłńóśźżğışőű"
    + "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
    + "!?.,;:'’\"-–—()…%$&@#°£€/¿¡"
)
_CORPUS = (
    "the quick brown fox jumps over the lazy dog while the little rain keeps falling on the roof",
    "there is nothing better than a warm cup of tea in the morning and a good book in the evening",
)


@dataclass(frozen=True)
class Size:
    """Sizes of a base. `text_tokens` 0 takes as many as the vocabulary has."""

    layers: int
    channels: int
    heads: int
    codes: int
    dvae_channels: int
    text_tokens: int


TINY = Size(layers=2, channels=64, heads=4, codes=32, dvae_channels=16, text_tokens=0)
# XTTS v2.0.3 (reference config.json and vocab.json).
FULL = Size(layers=30, channels=1024, heads=16, codes=1024, dvae_channels=512, text_tokens=6681)


def _vocabulary(path: Path, text_tokens: int) -> int:
    """Write a small BPE vocabulary; return the number of embedding rows it needs."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    specials = [*_SPECIALS, *(f"[{code}]" for code in LANGUAGES)]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=specials,
        initial_alphabet=list(_LETTERS),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    missing = text_tokens - tokenizer.get_vocab_size()
    if missing > 0:
        tokenizer.add_tokens([f"<unused{number}>" for number in range(missing)])
    write_text(path, tokenizer.to_str())
    return max(tokenizer.get_vocab().values()) + 1


def _spread_codebook(dvae: Any, mel_stats: Any) -> None:
    """Take the codebook from what the random encoder makes of gliding tones and noise.

    A codebook that knows nothing of the encoder gives every sound the same code.
    """
    import torch

    from engine.xtts.mel import SAMPLE_RATE, codes_mel

    codes = dvae.codebook.embed.shape[1]
    time = torch.arange(SAMPLE_RATE * max(8, codes // 8)) / SAMPLE_RATE
    loudness = 0.5 + 0.5 * torch.sin(2 * torch.pi * 1.3 * time)
    pitch = 200 + 150 * torch.sin(2 * torch.pi * 0.7 * time)
    tone = torch.sin(2 * torch.pi * torch.cumsum(pitch, 0) / SAMPLE_RATE)
    harmonics = tone + 0.5 * tone.pow(3) + 0.2 * torch.randn_like(tone)
    with torch.no_grad():
        mel = codes_mel(mel_stats)(0.3 * loudness * harmonics[None, :])
        heard = dvae.encoder(mel)[0].T
        chosen = heard[torch.randperm(len(heard))[:codes]].T.contiguous()
        dvae.codebook.embed.copy_(chosen)
        dvae.codebook.embed_avg.copy_(chosen)


def make(folder: Path, size: Size = TINY, seed: int = 0) -> None:
    """Write the six files of a base to a new folder. The same seed gives the same weights."""
    with keep_thread_count():
        import torch
        from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
        from TTS.tts.models.xtts import Xtts

    with atomic_dir(folder) as draft, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        rows = _vocabulary(draft / "vocab.json", size.text_tokens)
        config = XttsConfig(
            model_args=XttsArgs(
                gpt_layers=size.layers,
                gpt_n_model_channels=size.channels,
                gpt_n_heads=size.heads,
                decoder_input_dim=size.channels,
                gpt_num_audio_tokens=size.codes + 2,
                gpt_start_audio_token=size.codes,
                gpt_stop_audio_token=size.codes + 1,
                gpt_number_text_tokens=rows,
                gpt_start_text_token=_SPECIALS.index("[START]"),
                gpt_stop_text_token=_SPECIALS.index("[STOP]"),
                gpt_use_perceiver_resampler=True,
            ),
            languages=list(LANGUAGES),
        )
        write_text(draft / "config.json", config.to_json())
        model = Xtts(config)
        mel_stats = torch.full((80,), 5.0)
        dvae = new_dvae(size.dvae_channels, size.dvae_channels, size.codes).eval()
        _spread_codebook(dvae, mel_stats)
        files = {
            "model.pth": {"model": model.state_dict()},
            "dvae.pth": dvae.state_dict(),
            "mel_stats.pth": mel_stats,
            "speakers_xtts.pth": {
                "Nobody": {
                    "gpt_cond_latent": torch.randn(1, 32, size.channels),
                    "speaker_embedding": torch.randn(1, 512, 1),
                }
            },
        }
        for name, content in files.items():
            with atomic_file(draft / name) as handle:
                torch.save(content, handle)
