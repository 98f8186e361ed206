"""Merged pretrains against a straightforward computation, and what cannot be merged."""

from __future__ import annotations

import math
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers_stored import PLAIN, tensors_of
from helpers_stored import keep as keep_as_it_came
from safetensors.torch import load_file, save_file

from engine.errors import (
    DamagedError,
    DiskFullError,
    FailedError,
    InputError,
    RefusedError,
    StopRequested,
)
from engine.pretrains import merge as merging
from engine.pretrains import plain, store
from engine.pretrains.entry import Entry
from engine.pretrains.merge import Part, merge
from engine.pretrains.plain import Spec, TensorFile
from engine.pretrains.store import Stored


def keep(name: str, **how: Any) -> Stored:
    """Of what came otherwise, merging reads the plain tensors only too."""
    return keep_as_it_came(name, file_names=PLAIN, **how)


def of(**weights: float) -> list[Part]:
    """Parts by name; their tensors differ, their layout does not."""
    return [
        Part(keep(name, seed=7 * n), weight) for n, (name, weight) in enumerate(weights.items())
    ]


def merged_folders() -> set[str]:
    return {path.name for path in store.folder_of(Entry("x", 40000)).parent.iterdir()}


def test_an_average_is_what_torch_computes() -> None:
    parts = of(anna=3.0, bert=1.0, cleo=4.0)
    told: list[tuple[int, int]] = []
    merged = merge("Dora", parts, progress=lambda *amounts: told.append(amounts))
    for role in ("G", "D"):
        sources = [tensors_of(part.pretrain, role) for part in parts]
        result = tensors_of(merged, role)
        assert list(result) == list(sources[0])
        for name, tensor in result.items():
            a, b, c = (source[name] for source in sources)
            wanted = np.float32(3 / 8) * a + np.float32(1 / 8) * b + np.float32(4 / 8) * c
            torch.testing.assert_close(tensor, wanted, rtol=1e-6, atol=1e-9)
    assert told[-1][0] == told[-1][1] > 0


def test_weights_of_an_average_are_shares_and_the_same_parts_give_the_same_bytes() -> None:
    anna, bert = of(anna=1.0, bert=1.0)
    first = merge("one", [anna, bert])
    second = merge("two", [Part(anna.pretrain, 1.5e308), Part(bert.pretrain, 1.5e308)])
    third = merge("three", [anna, Part(bert.pretrain, 2.0)])
    assert [file.sha256 for file in first.files] == [file.sha256 for file in second.files]
    assert first.files[0].sha256 != third.files[0].sha256
    assert third.lineage[0].startswith("0.333333 of anna (anna-40k)")


def test_difference_mode_adds_what_the_parts_differ_by() -> None:
    anna, bert, base = of(anna=0.75, bert=-0.5, base=0.0)
    merged = merge("Dora", [anna, bert], difference=base.pretrain)
    for role in ("G", "D"):
        a, b, c = (tensors_of(each.pretrain, role) for each in (anna, bert, base))
        for name, tensor in tensors_of(merged, role).items():
            wanted = c[name] + 0.75 * (a[name] - c[name]) - 0.5 * (b[name] - c[name])
            torch.testing.assert_close(tensor, wanted, rtol=1e-6, atol=1e-7)
    assert [line.split(" (")[0] for line in merged.lineage] == [
        "base base",
        "0.75 of anna",
        "-0.5 of bert",
    ]


def test_one_part_is_enough_with_a_base_and_comes_out_whole() -> None:
    anna, base = of(anna=1.0, base=0.0)
    merged = merge("Dora", [anna], difference=base.pretrain)
    a, result = tensors_of(anna.pretrain, "G"), tensors_of(merged, "G")
    for name in a:
        torch.testing.assert_close(result[name], a[name], rtol=1e-6, atol=1e-7)


def test_the_record_tells_where_it_comes_from() -> None:
    facts = {"languages": ("de", "en"), "licence": "mit"}
    anna = keep("Anna", entry=facts)
    bert = keep("Bert", seed=5, entry={"languages": ("en", "ja"), "licence": "openrail"})
    merged = merge("Dora und Anna", [Part(anna, 0.5), Part(bert, 0.5)])
    assert merged == store.load(merged.folder)
    assert merged == store.stored()["dora-und-anna-40k"]
    assert (merged.came, merged.entry.kind, merged.entry.origin) == ("merged", "merge", "made")
    assert merged.entry.languages == ("de", "en", "ja")
    assert merged.entry.licence == "mit and openrail"
    assert merged.entry.note == merging.WARNING
    assert "worst" in merging.WARNING
    for part, line in zip((anna, bert), merged.lineage, strict=True):
        assert line.startswith(f"0.5 of {part.entry.name} ({part.entry.slug}): SHA-256 ")
        assert all(file.sha256 in line for file in part.files)
    generator = merged.file("G")
    assert generator.facts.tensors == 560
    assert generator.facts.bytes == sum(t.nbytes for t in tensors_of(merged, "G").values())
    assert generator.sha256 == generator.tensors_sha256


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_the_precision_is_that_of_the_first_part(dtype: str) -> None:
    anna, bert = keep("anna", dtype=dtype), keep("bert", seed=4)
    merged = merge("Dora", [Part(anna, 0.5), Part(bert, 0.5)])
    a, b = tensors_of(anna, "G"), tensors_of(bert, "G")
    for name, tensor in tensors_of(merged, "G").items():
        assert tensor.dtype is getattr(torch, dtype)
        wanted = (0.5 * a[name].float() + 0.5 * b[name]).to(tensor.dtype)
        assert torch.equal(tensor, wanted), name
    assert merged.file("G").facts.precision == anna.file("G").facts.precision


def test_another_precision_can_be_asked_for() -> None:
    merged = merge("Dora", of(anna=1.0, bert=1.0), precision="fp16")
    assert {tensor.dtype for tensor in tensors_of(merged, "D").values()} == {torch.float16}
    assert merged.file("D").facts.precision == "fp16"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"rate": 48000}, "rate 40k and 48k"),
        ({"version": "v1"}, "version v2 and v1"),
        ({"pitch": False}, "pitch yes and no"),
        ({"vocoder": "MRF HiFi-GAN"}, "vocoder HiFi-GAN and MRF HiFi-GAN"),
        ({"speakers": 1}, "speakers 109 and 1"),
        ({"entry": {"embedder": "spin"}}, "embedder contentvec and spin"),
        ({"problems": ("3 tensors hold NaN",)}, "3 tensors hold NaN"),
    ],
)
def test_pretrains_that_do_not_belong_together_are_refused(
    other: dict[str, Any], reason: str
) -> None:
    anna, bert = keep("anna"), keep("bert", **other)
    with pytest.raises(InputError, match=reason) as told:
        merge("Dora", [Part(anna, 1), Part(bert, 1)])
    assert "bert" in str(told.value)
    assert merged_folders() == {anna.entry.slug, bert.entry.slug}


def test_tensors_that_differ_are_named_even_where_the_facts_agree() -> None:
    anna, bert = keep("anna"), keep("bert")
    state = tensors_of(bert, "D")
    state["discriminators.3.conv_post.bias"] = torch.zeros(2)
    rewrite(bert, "D", state)
    with pytest.raises(InputError, match=r"discriminators\.3\.conv_post\.bias is 1 .* and 2"):
        merge("Dora", [Part(anna, 1), Part(bert, 1)])
    del state["discriminators.3.conv_post.bias"]
    rewrite(bert, "D", state)
    with pytest.raises(InputError, match="and none in the other"):
        merge("Dora", [Part(anna, 1), Part(bert, 1)])


def rewrite(kept: Stored, role: Any, state: dict[str, torch.Tensor]) -> None:
    save_file(state, kept.tensors_of(role))


def test_weights_that_mean_nothing_are_refused() -> None:
    anna, bert = (part.pretrain for part in of(anna=1, bert=1))
    for weights, base, told in (
        ((1.0,), None, "two pretrains or more"),
        ((), anna, "two pretrains or more"),
        ((1.0, 0.0), None, "above 0"),
        ((1.0, -1.0), None, "above 0"),
        ((1.0, math.nan), None, "above 0"),
        ((1.0, math.inf), anna, "must be numbers"),
        ((1.0, 0.0), anna, "leaves its part out"),
    ):
        parts = [Part(kept, weight) for kept, weight in zip((anna, bert), weights, strict=False)]
        with pytest.raises(InputError, match=told):
            merge("Dora", parts, difference=base)


def test_a_part_counts_once_and_a_name_is_one_of_its_own() -> None:
    anna, bert = of(anna=1.0, bert=1.0)
    with pytest.raises(InputError, match="given twice"):
        merge("Dora", [anna, anna])
    with pytest.raises(RefusedError, match="bert-40k already"):
        merge("Bert", [anna, bert])
    with pytest.raises(RefusedError, match="titan-40k already"):
        merge("TITAN", [anna, bert])
    with pytest.raises(RefusedError, match="titan-32k already"):
        merge("Titan 32k", [anna, bert])
    with pytest.raises(InputError, match="cannot be a name"):
        merge("!?", [anna, bert])


def test_what_is_not_finite_is_refused_and_nothing_stays() -> None:
    anna, bert = of(anna=1.0, bert=1.0)
    with pytest.raises(FailedError, match="no finite F16"):
        merge("Dora", [Part(anna.pretrain, 1e7)], difference=bert.pretrain, precision="fp16")
    with pytest.raises(FailedError, match="no finite F32"):
        merge("Dora", [Part(anna.pretrain, 1e60)], difference=bert.pretrain)
    assert merged_folders() == {"anna-40k", "bert-40k"}


def test_a_part_that_changed_on_the_disk_is_noticed() -> None:
    anna, bert = of(anna=1.0, bert=1.0)
    path = bert.pretrain.tensors_of("D")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="has changed since it was stored"):
        merge("Dora", [anna, bert])
    path.write_bytes(content[:-8])
    with pytest.raises(DamagedError, match="not a whole safetensors file"):
        merge("Dora", [anna, bert])


def test_a_stop_and_a_full_disk_leave_nothing(
    fork: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = of(anna=1.0, bert=1.0)
    looks = 0

    def stop_later() -> None:
        nonlocal looks
        looks += 1
        if looks > 300:
            raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        merge("Dora", parts, check=stop_later)

    def with_a_small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with pytest.raises(DiskFullError, match="dora-40k"):
            merge("Dora", parts)

    assert fork(with_a_small_disk).wait() == 0
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr("engine.files.shutil.disk_usage", lambda path: usage)
    with pytest.raises(DiskFullError, match="The merged pretrain needs"):
        merge("Dora", parts)
    assert merged_folders() == {"anna-40k", "bert-40k"}


def test_plain_files_are_what_safetensors_writes_and_reads(tmp_path: Path) -> None:
    special = [0.0, -0.0, 1.0, 1 / 3, 65504.0, 3.0e-5, -1.00390625, 2.0**-130, 3.3e38]
    values = torch.tensor(special)
    for kind in (torch.float32, torch.float64, torch.bfloat16):
        wide = values.to(kind)
        state = {"odd": wide[:7].clone(), "scalar": wide[3].clone(), "wide": wide}
        save_file(state, tmp_path / "theirs")
        theirs = TensorFile(tmp_path / "theirs")
        for name, tensor in state.items():
            np.testing.assert_array_equal(theirs.read(name), tensor.float().numpy())
        plain.write(tmp_path / "ours", theirs.specs, theirs.read, lambda size: None)
        ours = load_file(tmp_path / "ours")
        assert all(torch.equal(ours[name], tensor) for name, tensor in state.items())
        (tmp_path / "ours").unlink()


def test_bfloat16_is_rounded_as_torch_does(tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(3)
    values = torch.randn(100_000, generator=random) * 10.0 ** torch.randint(-30, 30, (100_000,))
    spec = {"all": Spec("BF16", (100_000,))}
    plain.write(tmp_path / "ours", spec, lambda name: values.numpy(), lambda size: None)
    assert torch.equal(load_file(tmp_path / "ours")["all"], values.to(torch.bfloat16))
    nan = np.array([np.uint32(0x7FFFFFFF)]).view(np.float32)
    one = {"a": Spec("BF16", (1,))}
    with pytest.raises(FailedError, match="BF16"):
        plain.write(tmp_path / "nan", one, lambda name: nan, lambda size: None)


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2, dtype=torch.int64)}, tmp_path / "whole")
    with pytest.raises(DamagedError, match="holds a as I64"):
        TensorFile(tmp_path / "whole")
