"""The factor of fp16 losses, which keeps small gradients from becoming zero.

Values as in torch.amp.GradScaler: it begins at 65,536, is halved by each overflow, and doubles after
2,000 steps without one. It never falls below 1, where an overflow is none of the format any more.
"""

from __future__ import annotations

from typing import NamedTuple

_FIRST = 65_536.0
_MOST = 2.0**24
_DOUBLES_AFTER = 2_000


class Scale(NamedTuple):
    """`factor` multiplies the loss; `steps` went well since it changed last."""

    factor: float = _FIRST
    steps: int = 0

    def after(self, *, overflowed: bool) -> Scale:
        """The scale of the next step."""
        if overflowed:
            return Scale(max(1.0, self.factor / 2))
        if self.steps + 1 >= _DOUBLES_AFTER:
            return Scale(min(_MOST, self.factor * 2))
        return Scale(self.factor, self.steps + 1)

    @property
    def can_fall(self) -> bool:
        return self.factor > 1


FIRST_SCALE = Scale()
