"""A preparation in the thread of the test, which sees each of its events."""

from __future__ import annotations

from collections.abc import Callable

from engine import jobs, lock
from engine.dataset import prepare
from engine.dataset.hearing.asr_models import Fetcher
from engine.dataset.hearing.transcribe import Listener
from engine.events import Event
from engine.jobs import Job
from engine.project import Project


def preparing(
    project: Project,
    watch: Callable[[Event], None],
    fetch: Fetcher | None = None,
    listener: Listener | None = None,
) -> None:
    """Prepare a project as a session does. Raises what `engine.dataset.prepare` raises."""
    job = Job(jobs.new_folder(project.jobs_dir, "prepare"), "prepare")
    job.subscribe(lambda record: watch(record.event))
    with lock.hold(project.folder, "prepare"):
        try:
            job.perform(lambda job: prepare.prepare(project, job, fetch, listener))
        finally:
            job.close()
