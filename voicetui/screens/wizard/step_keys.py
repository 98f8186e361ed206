"""The wizard's keys that belong to single steps: what a step offers is asked of the one in sight."""

from __future__ import annotations

from voicetui.screens.wizard.sources import SourcesStep
from voicetui.screens.wizard.step import Step


class StepKeys:
    """Mixed into the wizard's screen; `step` is the step in sight."""

    @property
    def step(self) -> Step | None:
        raise NotImplementedError

    def _of_step(self, action: str) -> None:
        # Keys that the step does not name in `actions` do not come here.
        getattr(self.step, action)()

    def action_mark(self) -> None:
        self._of_step("mark")

    def action_type_path(self) -> None:
        self._of_step("type_path")

    def action_chosen(self) -> None:
        self._of_step("chosen")

    def action_problems(self) -> None:
        self._of_step("problems")

    def action_home_folder(self) -> None:
        self._of_step("home_folder")

    def action_filter(self) -> None:
        self._of_step("filter")

    def action_fetch(self) -> None:
        self._of_step("fetch")

    def action_stop_fetch(self) -> None:
        self._of_step("stop_fetch")

    def action_browse(self) -> None:
        self._of_step("browse")

    def action_epochs(self) -> None:
        self._of_step("epochs")

    def action_use(self) -> None:
        self._of_step("use")

    def action_measure(self) -> None:
        self._of_step("measure")

    def action_usual(self) -> None:
        self._of_step("usual")

    def action_copy(self) -> None:
        self._of_step("copy")

    async def action_previous_step(self) -> None:
        raise NotImplementedError

    async def action_next_step(self) -> None:
        raise NotImplementedError

    async def action_left(self) -> None:
        if isinstance(self.step, SourcesStep):
            self.step.left()
        else:
            await self.action_previous_step()

    async def action_right(self) -> None:
        if isinstance(self.step, SourcesStep):
            self.step.right()
        else:
            await self.action_next_step()
