"""The optimizers, and the state of each as named tensors."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from engine.settings import TrainingSettings

# coqui's XTTS recipes: betas and eps of AdamW; Adam takes the same.
_BETAS = (0.9, 0.96)
_EPS = 1e-8
_UNDECAYED = (nn.Embedding, nn.LayerNorm, nn.GroupNorm)
# Tensors as large as the parameter that each optimizer keeps: moments, or the momentum.
_KEPT = {"adamw": 2, "adam": 2, "sgd": 1, "rmsprop": 1}


def _decayed(model: nn.Module) -> dict[str, bool]:
    """Whether each trained parameter is pulled towards zero: not biases, norms and embeddings."""
    decayed: dict[str, bool] = {}
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(prefix, recurse=False):
            if parameter.requires_grad:
                is_bias = name.endswith("bias")
                decayed[name] = not is_bias and not isinstance(module, _UNDECAYED)
    return decayed


def make_optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The chosen optimizer over the trained parameters, with decay on weights only.

    AdamW takes its decay beside the gradient; SGD and RMSprop add it to the gradient, as torch does.
    """
    decayed = _decayed(model)
    decay = 0.0 if settings.optimizer == "adam" else settings.weight_decay
    parameters = dict(model.named_parameters())
    groups = [
        {
            "params": [parameters[name] for name in decayed if decayed[name] is pulled],
            "weight_decay": decay if pulled else 0.0,
        }
        for pulled in (True, False)
    ]
    groups = [group for group in groups if group["params"]]
    rate = settings.learning_rate
    match settings.optimizer:
        case "adam":
            return torch.optim.Adam(groups, rate, _BETAS, _EPS, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, rate, settings.momentum, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(groups, rate)
    return torch.optim.AdamW(groups, rate, _BETAS, _EPS, fused=True)


def checkpoint_bytes(parameters: Iterable[torch.Tensor], settings: TrainingSettings) -> int:
    """About what a checkpoint takes once the optimizer has begun: weights and what it keeps."""
    weights = sum(p.numel() * p.element_size() for p in parameters)
    return weights * (1 + _KEPT[settings.optimizer])


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The live tensors of an optimiser, named "<number of the parameter>.<name>"."""
    ordered = [p for group in optimizer.param_groups for p in group["params"]]
    return {
        f"{number}.{name}": value
        for number, parameter in enumerate(ordered)
        for name, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, torch.Tensor)
    }


def begun_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The live tensors of a new optimiser, made by a step that changes nothing."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    decays = [group["weight_decay"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = group["weight_decay"] = 0.0
    optimizer.step()
    for group, decay in zip(optimizer.param_groups, decays, strict=True):
        group["weight_decay"] = decay
    optimizer.zero_grad(set_to_none=True)
    return optimizer_tensors(optimizer)
