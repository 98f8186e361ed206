"""Building coqui's XTTS networks from the files of a base, with one copy of the weights in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import weights
from engine.errors import BaseModelError
from engine.text import clean
from engine.xtts.base import check

if TYPE_CHECKING:
    import torch

_GPT_PREFIX = "gpt."
# Left in some published files by coqui's inference set-up; not part of the trained network.
_INFERENCE_PREFIXES = ("gpt.gpt_inference.", "gpt.gpt.wte.")


@contextlib.contextmanager
def keep_thread_count() -> Iterator[None]:
    """Put torch's thread count back: importing coqui's or Silero's modules sets it to one."""
    import torch

    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def config_of(folder: Path) -> Any:
    """coqui's XttsConfig of a base. Raises BaseModelError when files are missing."""
    check(folder)
    with keep_thread_count():
        from TTS.tts.configs.xtts_config import XttsConfig

    config = XttsConfig()
    config.load_json(str(folder / "config.json"))
    return config


def tokenizer_of(folder: Path) -> Any:
    """coqui's tokenizer with the vocabulary of a base."""
    with keep_thread_count():
        from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer

    return VoiceBpeTokenizer(vocab_file=str(folder / "vocab.json"))


def state_of(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a base's model.pth, mapped from the file, without inference left-overs."""
    content = weights.load(folder / "model.pth")
    state = content.get("model", content)
    # coqui's own trainer writes every key below "xtts.".
    state = {name.removeprefix("xtts."): tensor for name, tensor in state.items()}
    return {name: t for name, t in state.items() if not name.startswith(_INFERENCE_PREFIXES)}


def _gpt_on_meta(config: Any) -> Any:
    import torch

    with keep_thread_count():
        from TTS.tts.layers.xtts.gpt import GPT

    args = config.model_args
    with torch.device("meta"):
        return GPT(
            layers=args.gpt_layers,
            model_dim=args.gpt_n_model_channels,
            heads=args.gpt_n_heads,
            start_text_token=args.gpt_start_text_token,
            stop_text_token=args.gpt_stop_text_token,
            number_text_tokens=args.gpt_number_text_tokens,
            max_text_tokens=args.gpt_max_text_tokens,
            max_mel_tokens=args.gpt_max_audio_tokens,
            max_prompt_tokens=args.gpt_max_prompt_tokens,
            num_audio_tokens=args.gpt_num_audio_tokens,
            start_audio_token=args.gpt_start_audio_token,
            stop_audio_token=args.gpt_stop_audio_token,
            use_perceiver_resampler=args.gpt_use_perceiver_resampler,
            code_stride_len=args.gpt_code_stride_len,
        )


def _match(expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> list[str]:
    """What keeps two sets of tensors from fitting, at most three lines."""
    problems = [f"{name} is missing" for name in expected if name not in found]
    problems += [
        f"{name} is {tuple(found[name].shape)}, the config wants {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    return problems[:3]


def gpt_from(folder: Path, state: Mapping[str, torch.Tensor], origin: Path) -> Any:
    """coqui's GPT as the base in `folder` describes it, with the given weights, without a copy.

    Raises BaseModelError, which names `origin`, when they do not fit the config or the vocabulary.
    """
    config = config_of(folder)
    args = config.model_args
    tokenizer = tokenizer_of(folder)
    args.gpt_number_text_tokens = tokenizer.get_number_tokens()
    args.gpt_start_text_token = tokenizer.tokenizer.token_to_id("[START]")
    args.gpt_stop_text_token = tokenizer.tokenizer.token_to_id("[STOP]")
    if not args.gpt_use_perceiver_resampler:
        raise BaseModelError(
            f"{clean(str(folder))} is an XTTS v1 base; this console trains XTTS v2."
        )
    gpt = _gpt_on_meta(config)
    if problems := _match(gpt.state_dict(), state):
        raise BaseModelError(
            f"{clean(str(origin))} does not fit config.json and vocab.json of {clean(str(folder))} "
            f"({'; '.join(problems)}). Fetch the base again, or take all six files from one release."
        )
    gpt.load_state_dict({name: state[name] for name in gpt.state_dict()}, assign=True)
    return gpt


def gpt_of(folder: Path) -> Any:
    """coqui's GPT with the weights of a base, fp32 on CPU, its pages mapped from model.pth.

    Raises BaseModelError when the tensors do not fit the config or the vocabulary.
    """
    state = {
        name.removeprefix(_GPT_PREFIX): tensor.float()
        for name, tensor in state_of(folder).items()
        if name.startswith(_GPT_PREFIX)
    }
    return gpt_from(folder, state, folder / "model.pth")


def new_dvae(hidden: int, codebook_dim: int, num_tokens: int) -> Any:
    """coqui's DVAE as its GPTTrainer builds it, in the given sizes, with random weights."""
    with keep_thread_count():
        from TTS.tts.layers.xtts.dvae import DiscreteVAE

    return DiscreteVAE(
        channels=80,
        normalization=None,
        positional_dims=1,
        num_tokens=num_tokens,
        codebook_dim=codebook_dim,
        hidden_dim=hidden,
        num_resnet_blocks=3,
        kernel_size=3,
        num_layers=2,
        use_transposed_convs=False,
    )


def dvae_of(folder: Path) -> Any:
    """coqui's DVAE with the weights of a base, in eval mode; its sizes are read from the file."""
    state = weights.load(folder / "dvae.pth")
    try:
        hidden = state["encoder.0.0.weight"].shape[0]
        codebook_dim, num_tokens = state["codebook.embed"].shape
        dvae = new_dvae(hidden, codebook_dim, num_tokens)
        # Some published files lack the buffers of the discretisation loss, which encoding never uses.
        missing, unexpected = dvae.load_state_dict(state, strict=False)
        wrong = [name for name in missing if not name.startswith("discrete_loss.")] + unexpected
    except (KeyError, RuntimeError) as error:
        raise BaseModelError(
            f"{clean(str(folder / 'dvae.pth'))} is not the DVAE of XTTS: {clean(str(error))}"
        ) from error
    if wrong:
        raise BaseModelError(
            f"{clean(str(folder / 'dvae.pth'))} is not the DVAE of XTTS: {clean(', '.join(wrong[:3]))}"
        )
    return dvae.eval()


def mel_stats_of(folder: Path) -> torch.Tensor:
    """The 80 normalisation values of a base. Raises BaseModelError when they are not that."""
    stats = weights.load(folder / "mel_stats.pth")
    if getattr(stats, "shape", None) != (80,):
        raise BaseModelError(f"{clean(str(folder / 'mel_stats.pth'))} does not hold 80 mel values.")
    return stats.float()  # type: ignore[no-any-return]


def synthesizer_of(folder: Path, gpt: Any) -> Any:
    """coqui's Xtts that speaks with `gpt` and the vocoder and speaker encoder of a base."""
    with keep_thread_count():
        from TTS.tts.models.xtts import Xtts

    config = config_of(folder)
    # Without a number of tokens coqui builds no GPT of its own, which would be a second copy.
    config.model_args.gpt_number_text_tokens = None
    model = Xtts(config)
    model.tokenizer = tokenizer_of(folder)
    rest = rest_of(folder)
    decoder = {n.removeprefix("hifigan_decoder."): t for n, t in rest.items() if "." in n}
    if problems := _match(model.hifigan_decoder.state_dict(), decoder):
        raise BaseModelError(
            f"{clean(str(folder / 'model.pth'))} lacks its vocoder ({'; '.join(problems)}). "
            "Fetch the base again."
        )
    model.hifigan_decoder.load_state_dict(decoder, assign=True)
    model.mel_stats = mel_stats_of(folder)
    model.gpt = gpt
    model.gpt.init_gpt_for_inference(kv_cache=True)
    model.gpt.eval()
    model.hifigan_decoder.eval()
    return model


def rest_of(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a base's model.pth that training leaves alone: vocoder, speaker encoder, mel."""
    return {
        name: tensor
        for name, tensor in state_of(folder).items()
        if name.startswith("hifigan_decoder.") or name == "mel_stats"
    }
