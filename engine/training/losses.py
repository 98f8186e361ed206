"""The losses of a step or an evaluation, from their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.training.task import Micro


@dataclass(frozen=True)
class Measured:
    """Mean losses of a step or an evaluation; `ce` is unweighted, `weighted` what is minimised."""

    ce: Mapping[str, float]
    weighted: Mapping[str, float]

    @property
    def loss(self) -> float:
        return sum(self.weighted.values())

    @property
    def fields(self) -> dict[str, float]:
        """The loss fields of an event."""
        named = {f"loss_{term}_ce": value for term, value in self.weighted.items()}
        named |= {f"{term}_ce": value for term, value in self.ce.items()}
        return {"loss": self.loss, **named}


def totals(micros: Sequence[Micro]) -> dict[str, int]:
    """What each loss term predicts in some batches together."""
    return {term: sum(m.targets[term] for m in micros) for term in micros[0].targets}


def measured(
    sums: Mapping[str, float], counts: Mapping[str, int], weights: Mapping[str, float]
) -> Measured:
    """Means from the summed losses of each term, their targets and their weights."""
    ce = {term: value / counts[term] for term, value in sums.items()}
    return Measured(ce, {term: weights[term] * value for term, value in ce.items()})
