"""Pretrains and small voices in the layouts that RVC and Applio write.

The names, the kernels and what tells rates and versions apart are the true ones; the channels are a
few, so that a file has under 1 MB, unless `full`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Shapes = dict[str, tuple[int, ...]]

_KERNELS = {
    ("v1", 32000): ((10, 4, 2, 2, 2), (16, 16, 4, 4, 4)),
    ("v1", 40000): ((10, 10, 2, 2), (16, 16, 4, 4)),
    ("v1", 48000): ((10, 6, 2, 2, 2), (16, 16, 4, 4, 4)),
    ("v2", 24000): ((10, 6, 2, 2), (20, 12, 4, 4)),
    ("v2", 32000): ((10, 8, 2, 2), (20, 16, 4, 4)),
    ("v2", 40000): ((10, 10, 2, 2), (16, 16, 4, 4)),
    ("v2", 48000): ((12, 10, 2, 2), (24, 20, 4, 4)),
}


@dataclass(frozen=True)
class Widths:
    hidden: int
    inner: int
    filter: int
    gin: int
    first: int
    scale: tuple[int, ...]
    period: tuple[int, ...]


FULL = Widths(192, 192, 768, 256, 512, (16, 64, 256, 1024, 1024, 1024), (32, 128, 512, 1024, 1024))
TINY = Widths(8, 8, 8, 4, 32, (4, 4, 4, 8, 8, 8), (2, 4, 4, 8, 8))


def generator_shapes(
    rate: int = 40000,
    *,
    pitch: bool = True,
    version: str = "v2",
    speakers: int = 109,
    vocoder: str = "HiFi-GAN",
    full: bool = False,
) -> Shapes:
    """The tensors of a generator, 560 in v2 with pitch: names and shapes.

    `vocoder` is as Applio calls them: "HiFi-GAN", "MRF HiFi-GAN" or "RefineGAN".
    """
    w = FULL if full else TINY
    rates, kernels = _KERNELS[version, rate]
    shapes: Shapes = _text_encoder(w, 768 if version == "v2" else 256, pitch=pitch)
    if vocoder == "RefineGAN":
        shapes |= _refine_decoder(w, rates)
    else:
        shapes |= _decoder(w, rates, kernels, pitch=pitch, mrf=vocoder == "MRF HiFi-GAN")
    spectrum = 513 if rate <= 32000 else 1025
    shapes |= _conv("enc_q.pre", w.hidden, spectrum, 1)
    shapes |= _wavenet("enc_q.enc", w, 16) | _conv("enc_q.proj", 2 * w.inner, w.hidden, 1)
    for flow in (0, 2, 4, 6):
        shapes |= _conv(f"flow.flows.{flow}.pre", w.hidden, w.inner // 2, 1)
        shapes |= _wavenet(f"flow.flows.{flow}.enc", w, 3)
        shapes |= _conv(f"flow.flows.{flow}.post", w.inner // 2, w.hidden, 1)
    return shapes | {"emb_g.weight": (speakers, w.gin)}


def discriminator_shapes(version: str = "v2", *, full: bool = False) -> Shapes:
    """The tensors of a discriminator, 165 in v2. "v3" is that of Applio's RefineGAN."""
    w, wide = (FULL, 32) if full else (TINY, 4)
    scale, period = (1, *w.scale), (1, *w.period)
    shapes: Shapes = {}
    for i, (kernel, groups) in enumerate(
        zip((15, 41, 41, 41, 41, 5), (1, 4, 16, 64, 256, 1), strict=True)
    ):
        width = scale[i] // groups if full else scale[i]
        shapes |= _normed(f"discriminators.0.convs.{i}", scale[i + 1], width, kernel)
    shapes |= _normed("discriminators.0.conv_post", 1, scale[-1], 3)
    periods = {"v1": 6, "v2": 8, "v3": 5}[version]
    for net in range(1, periods + 1):
        for i in range(5):
            shapes |= _normed(f"discriminators.{net}.convs.{i}", period[i + 1], period[i], 5, 1)
        shapes |= _normed(f"discriminators.{net}.conv_post", 1, period[-1], 3, 1)
    for net in range(periods + 1, periods + 4) if version == "v3" else ():
        for i, kernel in enumerate(((3, 9), (3, 9), (3, 9), (3, 9), (3, 3))):
            shapes |= _normed(f"discriminators.{net}.convs.{i}", wide, wide if i else 1, *kernel)
        shapes |= _normed(f"discriminators.{net}.conv_post", 1, wide, 3, 3)
    return shapes


def _conv(name: str, *shape: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": shape} | ({f"{name}.bias": shape[:1]} if bias else {})


def _normed(name: str, out: int, into: int, *kernel: int, transposed: bool = False) -> Shapes:
    """A weight-normed convolution; a transposed one has its channels the other way round."""
    first, second = (into, out) if transposed else (out, into)
    return {
        f"{name}.bias": (out,),
        f"{name}.weight_g": (first, 1, *(1 for _ in kernel)),
        f"{name}.weight_v": (first, second, *kernel),
    }


def _wavenet(name: str, w: Widths, layers: int) -> Shapes:
    shapes = _normed(f"{name}.cond_layer", 2 * w.hidden * layers, w.gin, 1)
    for i in range(layers):
        out = 2 * w.hidden if i + 1 < layers else w.hidden
        shapes |= _normed(f"{name}.in_layers.{i}", 2 * w.hidden, w.hidden, 5)
        shapes |= _normed(f"{name}.res_skip_layers.{i}", out, w.hidden, 1)
    return shapes


def _text_encoder(w: Widths, phone: int, *, pitch: bool) -> Shapes:
    shapes: Shapes = _conv("enc_p.emb_phone", w.hidden, phone)
    if pitch:
        shapes["enc_p.emb_pitch.weight"] = (256, w.hidden)
    for i in range(6):
        attention = f"enc_p.encoder.attn_layers.{i}"
        for relative in ("k", "v"):
            shapes[f"{attention}.emb_rel_{relative}"] = (1, 21, w.hidden // 2)
        for part in "qkvo":
            shapes |= _conv(f"{attention}.conv_{part}", w.hidden, w.hidden, 1)
        for norm in (1, 2):
            for part in ("gamma", "beta"):
                shapes[f"enc_p.encoder.norm_layers_{norm}.{i}.{part}"] = (w.hidden,)
        shapes |= _conv(f"enc_p.encoder.ffn_layers.{i}.conv_1", w.filter, w.hidden, 3)
        shapes |= _conv(f"enc_p.encoder.ffn_layers.{i}.conv_2", w.hidden, w.filter, 3)
    return shapes | _conv("enc_p.proj", 2 * w.inner, w.hidden, 1)


def _decoder(
    w: Widths, rates: tuple[int, ...], kernels: tuple[int, ...], *, pitch: bool, mrf: bool
) -> Shapes:
    """NSF-HiFi-GAN, HiFi-GAN where there is no pitch, and the one that Applio calls MRF HiFi-GAN."""
    ups = "dec.upsamples" if mrf else "dec.ups"
    shapes: Shapes = _conv("dec.m_source.l_linear", 1, 9 if mrf else 1) if pitch or mrf else {}
    make = _normed if mrf else _conv
    shapes |= make("dec.conv_pre", w.first, w.inner, 7)
    for i, kernel in enumerate(kernels):
        into, out = w.first >> i, w.first >> (i + 1)
        stride = prod(rates[i + 1 :])
        if pitch or mrf:
            shapes |= _conv(f"dec.noise_convs.{i}", out, 1, 2 * stride if stride > 1 else 1)
        shapes |= _normed(f"{ups}.{i}", out, into, kernel, transposed=True)
        for j, size in enumerate((3, 7, 11)):
            for layer in range(3):
                for part in (1, 2):
                    name = (
                        f"dec.mrfs.{i}.{j}.layers.{layer}.conv{part}"
                        if mrf
                        else f"dec.resblocks.{3 * i + j}.convs{part}.{layer}"
                    )
                    shapes |= _normed(name, out, out, size)
    last = w.first >> len(kernels)
    shapes |= (
        _normed("dec.conv_post", 1, last, 7)
        if mrf
        else _conv("dec.conv_post", 1, last, 7, bias=False)
    )
    return shapes | _conv("dec.cond", w.first, w.gin, 1)


def _refine_decoder(w: Widths, rates: tuple[int, ...]) -> Shapes:
    """RefineGAN: it has no transposed convolutions, so that no kernel tells its rate."""
    channels = 16 if w is FULL else 1
    shapes = _conv("dec.m_source.l_linear", 1, 9) | _normed("dec.source_conv", channels, 1, 7)
    for i in range(len(rates)):
        shapes |= _res_block(f"dec.downsample_blocks.{i}.1", channels, 2 * channels, 7)
        channels *= 2
    shapes |= _normed("dec.mel_conv", channels, w.inner, 7) | _conv("dec.cond", channels, w.gin, 1)
    channels *= 2
    for i in range(len(rates)):
        block, out = f"dec.upsample_conv_blocks.{i}", channels // 2
        shapes |= _conv(f"{block}.input_conv", out, channels + channels // 4, 7)
        for j, size in enumerate((3, 7, 11)):
            shapes |= {f"{block}.blocks.{j}.{part}.weight": (out,) for part in (0, 2)}
            shapes |= _res_block(f"{block}.blocks.{j}.1", out, out, size)
        channels = out
    return shapes | _normed("dec.conv_post", 1, channels, 7)


def _res_block(name: str, into: int, out: int, kernel: int) -> Shapes:
    shapes: Shapes = {}
    for i in range(3):
        shapes |= _normed(f"{name}.convs1.{i}", out, out if i else into, kernel)
        shapes |= _normed(f"{name}.convs2.{i}", out, out, kernel)
    return shapes


def tensors_of(
    shapes: Shapes, *, seed: int = 1, dtype: str = "float32", zeros: bool = False
) -> OrderedDict[str, torch.Tensor]:
    """Small normal values, or zeros, for the given shapes."""
    import torch

    random = torch.Generator().manual_seed(seed)
    kind = getattr(torch, dtype)
    return OrderedDict(
        (
            name,
            torch.zeros(shape, dtype=kind)
            if zeros
            else (0.02 * torch.randn(shape, generator=random)).to(kind),
        )
        for name, shape in shapes.items()
    )


def new_names(state: OrderedDict[str, torch.Tensor]) -> OrderedDict[str, torch.Tensor]:
    """The names that torch's newer weight norm gives: `parametrizations.weight.original0/1`."""
    return OrderedDict(
        (
            name.replace(".weight_g", ".parametrizations.weight.original0").replace(
                ".weight_v", ".parametrizations.weight.original1"
            ),
            tensor,
        )
        for name, tensor in state.items()
    )


def write_generator(
    path: Path,
    rate: int = 40000,
    *,
    pitch: bool = True,
    version: str = "v2",
    speakers: int = 109,
    vocoder: str = "HiFi-GAN",
    full: bool = False,
    **how: Any,
) -> OrderedDict[str, torch.Tensor]:
    """Write a generator and return its tensors; `how` is that of `write_state`."""
    shapes = generator_shapes(
        rate, pitch=pitch, version=version, speakers=speakers, vocoder=vocoder, full=full
    )
    return write_state(path, shapes, **{"zeros": full, "half": full} | how)


def write_discriminator(
    path: Path, *, version: str = "v2", full: bool = False, **how: Any
) -> OrderedDict[str, torch.Tensor]:
    """Write a discriminator and return its tensors; `how` is that of `write_state`."""
    shapes = discriminator_shapes(version, full=full)
    return write_state(path, shapes, **{"zeros": full, "half": full, "seed": 2} | how)


def write_state(
    path: Path,
    shapes: Shapes,
    *,
    half: bool = False,
    dtype: str = "",
    wrapped: bool = True,
    leftovers: bool = False,
    iteration: int = 300,
    zeros: bool = False,
    seed: int = 1,
    new_weight_norm: bool = False,
    old_format: bool = False,
) -> OrderedDict[str, torch.Tensor]:
    """Write tensors of these shapes as trainers do, and return them.

    `wrapped` puts them below "model"; `leftovers` adds what RVC's own checkpoints hold beside it;
    `old_format` is that of torch before 1.6. A path that ends in .safetensors gets that format.
    """
    import torch

    state = tensors_of(
        shapes, seed=seed, dtype=dtype or ("float16" if half else "float32"), zeros=zeros
    )
    if new_weight_norm:
        state = new_names(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(state, path)
        return state
    content: dict[str, Any] = {"model": state} if wrapped else state
    if leftovers:
        content |= {"iteration": iteration, "learning_rate": 1e-4, "optimizer": _optimizer(state)}
    torch.save(content, path, _use_new_zipfile_serialization=not old_format)
    return state


def _optimizer(state: OrderedDict[str, torch.Tensor]) -> dict[str, Any]:
    """The state of AdamW after a step, of a few of the parameters."""
    import torch

    parameters = [torch.nn.Parameter(tensor.float()) for tensor in list(state.values())[:3]]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, betas=(0.8, 0.99), eps=1e-9)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return optimizer.state_dict()


def write_voice(
    path: Path,
    rate: int = 40000,
    *,
    maker: str = "rvc",
    pitch: bool = True,
    version: str = "v2",
    vocoder: str = "HiFi-GAN",
    full: bool = False,
    seed: int = 3,
) -> OrderedDict[str, torch.Tensor]:
    """Write a small voice as RVC or Applio ("applio") exports it, and return its tensors."""
    import torch

    w = FULL if full else TINY
    shapes = generator_shapes(rate, pitch=pitch, version=version, vocoder=vocoder, full=full)
    kept = {name: shape for name, shape in shapes.items() if not name.startswith("enc_q.")}
    state = tensors_of(kept, seed=seed, dtype="float16", zeros=full)
    rates, kernels = _KERNELS[version, rate]
    config = [
        513 if rate <= 32000 else 1025, 32, w.inner, w.hidden, w.filter, 2, 6, 3, 0, "1",
        [3, 7, 11], [[1, 3, 5], [1, 3, 5], [1, 3, 5]], list(rates), w.first, list(kernels),
        109, w.gin, rate,
    ]  # fmt: skip
    content: dict[str, Any] = OrderedDict(weight=state, config=config, version=version)
    if maker == "rvc":
        content |= {"info": "123epoch", "sr": f"{rate // 1000}k", "f0": int(pitch)}
    else:
        content |= {
            "epoch": 123, "step": 4567, "sr": rate, "f0": pitch, "vocoder": vocoder,
            "creation_date": "2025-01-31T12:00:00", "model_hash": "0" * 64, "author": "somebody",
            "dataset_length": "00:10:00", "model_name": "a voice", "embedder_model": "contentvec",
            "speakers_id": 1,
        }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return state
