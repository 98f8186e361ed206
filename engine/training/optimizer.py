"""AdamW as XTTS is trained with it, and its state as named tensors."""

from __future__ import annotations

import torch
from torch import nn

from engine.settings import TrainingSettings

# coqui's XTTS recipes: betas and eps of AdamW.
_BETAS = (0.9, 0.96)
_EPS = 1e-8
_UNDECAYED = (nn.Embedding, nn.LayerNorm, nn.GroupNorm)


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
    """AdamW over the trained parameters, with decay on weights only."""
    decayed = _decayed(model)
    parameters = dict(model.named_parameters())
    groups = [
        {
            "params": [parameters[name] for name in decayed if decayed[name] is pulled],
            "weight_decay": settings.weight_decay if pulled else 0.0,
        }
        for pulled in (True, False)
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings.learning_rate,
        betas=_BETAS,
        eps=_EPS,
        fused=True,
    )


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The live tensors of an optimiser, named "<number of the parameter>.<name>"."""
    ordered = [p for group in optimizer.param_groups for p in group["params"]]
    return {
        f"{number}.{name}": value
        for number, parameter in enumerate(ordered)
        for name, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, torch.Tensor)
    }
