"""Malicious and broken weights files, generated: none may run anything, all must be refused."""

from __future__ import annotations

from corpus_bad_bombs import bomb_cases, no_tensor_cases, safetensors_cases
from corpus_bad_containers import (
    broken_cases,
    crc_cases,
    flag_cases,
    link_cases,
    polyglot_cases,
    zip_cases,
)
from corpus_bad_pickles import (
    after_stop_cases,
    extension_cases,
    memo_cases,
    metadata_cases,
    nested_cases,
    no_stop_cases,
    operation_cases,
    place_cases,
    reduce_cases,
)
from corpus_parts import Case


def cases() -> list[Case]:
    """All of them; at least five of each kind."""
    makers = (
        reduce_cases, operation_cases, memo_cases, nested_cases, after_stop_cases, no_stop_cases,
        extension_cases, crc_cases, flag_cases, polyglot_cases, place_cases, metadata_cases,
        link_cases, zip_cases, bomb_cases, safetensors_cases, no_tensor_cases, broken_cases,
    )  # fmt: skip
    return [case for maker in makers for case in maker()]
