"""Teaching the base of a project a language that it does not know, from the text of the clips."""

from __future__ import annotations

from engine.project import Project
from engine.session import Session
from engine.text import clean
from voicetui.app import Console
from voicetui.screens import flow
from voicetui.screens.dialogs import Choice, Choose


async def teach(console: Console, project: Project) -> None:
    """Ask whether to begin now, and show the job."""
    answer = await flow.ask(
        console,
        Choose(
            f"The base does not know the language {clean(project.language)} yet",
            "It is taught before training: the text of the clips becomes new tokens, in a copy of "
            "the base that the project owns. Then prepare again. 'voicetui vocab' does the same and "
            "takes more text.",
            [Choice("v", "teach it now"), Choice("q", "later")],
        ),
    )
    if answer == "v":
        console.say("Gathering the text of the clips…")
        job = await console.start_job(lambda: _session(project))
        if job is not None:
            console.open_dashboard(project.folder, job.folder)


def _session(project: Project) -> Session:
    from engine.xtts import vocab_job
    from engine.xtts.vocab_train import Wish

    return vocab_job.session(project, Wish())
