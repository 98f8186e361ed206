"""Which steps a chart shows: zooming, panning and following, without drawing."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAST_SPAN = 10
_ROOMY = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


def roomy(count: int) -> int:
    """A round number of steps that holds `count` with at most a quarter to spare.

    A chart that is as wide as this moves its curves some eight times while a run grows tenfold,
    and not with every step.
    """
    power = 1
    while count > 80 * power:
        power *= 10
    return next((size * power for size in _ROOMY if size * power >= count), 100 * power)


@dataclass(frozen=True)
class View:
    """`span` steps that end at `end`; None: the whole run, and following the newest step.

    `cursor` is a step. A `frozen` chart takes no new steps.
    """

    span: int | None = None
    end: int | None = None
    log: bool = False
    frozen: bool = False
    cursor: int | None = None

    @property
    def follows(self) -> bool:
        return self.end is None and not self.frozen

    def shown(self, steps: range, planned: int = 0) -> tuple[int, int]:
        """The first and the last step of the chart for a run that has `steps`.

        `planned` is the last step that the run will have, if that is known.
        """
        first, newest = (steps[0], steps[-1]) if steps else (0, 0)
        count = newest - first + 1
        if self.span is None:
            span = roomy(count)
            if planned >= newest:
                span = min(span, max(LEAST_SPAN, planned - first + 1))
            return first, first + span - 1
        if self.end is not None:
            return self.end - self.span + 1, self.end
        # It moves on by a quarter, and not with every step.
        quarter = max(1, self.span // 4)
        last = first + -(-count // quarter) * quarter - 1
        last = max(last, first + self.span - 1)
        return last - self.span + 1, last

    def zoomed_in(self, steps: range, planned: int = 0, least: int = LEAST_SPAN) -> View:
        """Half as many steps, but not fewer than `least`; around the cursor if there is one."""
        if not steps:
            return self
        first, last = self.shown(steps, planned)
        before = last - first + 1 if self.span is not None else len(steps)
        span = max(least, LEAST_SPAN, before // 2)
        if span >= before:
            return self
        end = self.end
        if self.cursor is not None:
            end = self.cursor + span // 2
        elif end is not None:
            end -= (before - span) // 2
        return replace(self, span=span, end=end)._settled(steps)

    def zoomed_out(self, steps: range) -> View:
        """Twice as many steps, at last the whole run."""
        # Halving drops a step now and then.
        if self.span is None or self.span * 2 > 0.95 * len(steps):
            return replace(self, span=None, end=None)
        end = self.end if self.end is None else self.end + self.span // 2
        return replace(self, span=self.span * 2, end=end)._settled(steps)

    def panned(self, steps: range, direction: int) -> View:
        """A quarter to the left (-1) or to the right (1); at the newest step it follows again."""
        if self.span is None or not steps:
            return self
        _, last = self.shown(steps)
        end = last + direction * max(1, self.span // 4)
        return replace(self, end=end)._settled(steps)

    def _settled(self, steps: range) -> View:
        """Neither before the first step nor, without following, beyond the newest."""
        if self.span is None or self.end is None:
            return self
        if self.end >= steps[-1]:
            return replace(self, end=None)
        return replace(self, end=max(self.end, steps[0] + self.span - 1))

    def cursor_moved(self, steps: range, direction: int, columns: int, planned: int = 0) -> View:
        """The cursor one of `columns` further, from the newest step on; the view goes with it."""
        if not steps:
            return self
        if self.cursor is None:
            return replace(self, cursor=steps[-1])._around_cursor(steps, planned)
        first, last = self.shown(steps, planned)
        span, columns = last - first + 1, max(1, columns)
        column = (self.cursor - first) * columns // span + direction
        cursor = first + -(-column * span // columns)
        if span < columns:
            cursor = self.cursor + direction
        cursor = max(steps[0], min(cursor, steps[-1]))
        return replace(self, cursor=cursor)._around_cursor(steps, planned)

    def _around_cursor(self, steps: range, planned: int) -> View:
        view = self
        if view.span is None or view.cursor is None:
            return view
        first, last = view.shown(steps, planned)
        if not first <= view.cursor <= last:
            view = replace(view, end=view.cursor + view.span // 2)._settled(steps)
        return view
