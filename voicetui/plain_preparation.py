"""What a preparation, an export or a download tells, as plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import events
from engine.text import clean
from voicetui.amounts import duration, size
from voicetui.preparing import STAGE_WORDS

# How many findings are told at the end; all of them stand in dataset/summary.json.
FIRST_TO_FIX = 3


def told(event: events.Event) -> list[str]:
    """The lines of one event, safe for any terminal; none when it is not one of these."""
    match event:
        case events.Output():
            return [f"writes to {clean(event.folder)}"]
        case events.SourcesFound():
            left_out = [
                f"{count} {what}"
                for count, what in (
                    (event.duplicates, "the same as another"),
                    (event.failed, "not usable"),
                )
                if count
            ]
            more = f"; {', '.join(left_out)}" if left_out else ""
            return [f"found {counted(event.files, 'audio file')}, {event.used} to prepare{more}"]
        case events.AsrModel():
            place = f"{clean(event.device)}, {clean(event.compute)}"
            return [f"speech recognition: {clean(event.name)} ({place}): {clean(event.reason)}"]
        case events.Memory():
            return [_memory(event)]
        case events.Segmented():
            return [_segmented(event)]
        case events.Retranscribed():
            return [
                f"{clean(event.source)}: {counted(event.suspects, 'doubtful clip')} heard again, "
                f"{event.changed} corrected, {event.disagree} still differ, {event.failed} failed"
            ]
        case events.SourcePrepared():
            length = f"{duration(event.seconds)}, {duration(event.speech_seconds)} of speech"
            again = "  (as before)" if event.cached else ""
            kept = f"{counted(event.kept, 'clip')} kept, {event.dropped} dropped"
            return [f"{clean(event.source)}: {length}, {kept}{again}"]
        case events.SourceFailed():
            return [f"NOT USED {clean(event.message)}"]
        case events.AudioStatistics():
            return [
                f"{counted(event.clips, 'clip')} of {event.seconds:.2f} s on average; "
                f"{event.under_minimum} pieces were too short, {event.over_maximum} too long"
            ]
        case events.Exported():
            return [f"exported step {event.step} to {clean(event.folder)} ({size(event.bytes)})"]
        case events.Spoke():
            return [
                f"spoke with step {event.step} ({duration(event.seconds)}): {clean(event.path)}"
            ]
        case events.Fetched():
            return [f"fetched {clean(event.name)} to {clean(event.path)} ({size(event.bytes)})"]
    return []


def dataset_lines(summary: Mapping[str, Any]) -> list[str]:
    """What a dataset holds and what to fix first; nothing without the totals of a preparation."""
    if not {"input_seconds", "kept_seconds", "non_speech_seconds"} <= summary.keys():
        return []
    times = {name: duration(float(summary[f"{name}_seconds"])) for name in _TIMES}
    kept = f"{counted(summary.get('kept_clips', 0), 'clip')} with {times['kept']} of speech"
    suspect = summary.get("suspect_clips", 0)
    doubt = f" ({suspect} of them suspect)" if suspect else ""
    lines = [
        f"dataset  {kept}{doubt}; {times['dropped']} dropped and {times['non_speech']} without "
        f"speech make up the {times['input']} of audio"
    ]
    return [*lines, *first_to_fix(summary.get("findings", []))]


def first_to_fix(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first findings in a line each, and how many there are besides."""
    if not findings:
        return ["nothing stands out that had to be fixed"]
    lines = ["what to fix first:"]
    for number, finding in enumerate(findings[:FIRST_TO_FIX], 1):
        name, seen = clean(str(finding.get("name", ""))), clean(str(finding.get("seen", "")))
        lines.append(f"  {number}. {name}: {seen}")
        lines.append(f"     {clean(str(finding.get('advice', '')))}")
    more = len(findings) - FIRST_TO_FIX
    if more > 0:
        lines.append(f"  and {more} more, in the console's statistics and dataset/summary.json")
    return lines


_TIMES = ("input", "kept", "dropped", "non_speech")


def _segmented(event: events.Segmented) -> str:
    return (
        f"{clean(event.source)}: {counted(event.spans, 'stretch', 'stretches')} of speech became "
        f"{counted(event.pieces, 'piece')} of {event.seconds:.1f} s on average; {event.merged} "
        f"sentences merged, {event.extended} pieces extended, {event.too_short} too short, "
        f"{event.too_long} too long"
    )


def _memory(event: events.Memory) -> str:
    stage = STAGE_WORDS.get(event.stage, clean(event.stage).replace("_", " "))
    line = f"memory after {stage}: {size(event.rss)} of RAM"
    if not event.gpu_total:
        return line
    return (
        f"{line}; GPU {size(event.gpu_used)} used, {size(event.gpu_free)} of "
        f"{size(event.gpu_total)} free"
    )


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number of things, as people say it."""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or noun + 's'}"
