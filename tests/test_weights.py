from __future__ import annotations

import io
import os
import pickle
import sys
import tarfile
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

from engine import weights
from engine.errors import DamagedError, UnsafeFileError


def state() -> dict[str, Any]:
    import torch

    torch.manual_seed(7)
    return {
        "gpt.weight": torch.randn(64, 32),
        "gpt.bias": torch.arange(5),
        "half": torch.ones(3).half(),
    }


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    import torch

    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.fixture
def coqui_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model.pth as coqui published it: pickled config classes, two of them at their old place."""
    import torch
    from TTS.config.shared_configs import BaseDatasetConfig
    from TTS.tts.configs.xtts_config import XttsArgs, XttsAudioConfig, XttsConfig

    old_home = types.ModuleType("TTS.tts.models.xtts")
    path = tmp_path / "model.pth"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, old_home.__name__, old_home)
        for cls in (XttsArgs, XttsAudioConfig):
            patch.setattr(cls, "__module__", old_home.__name__)
            setattr(old_home, cls.__name__, cls)
        config = XttsConfig(
            model_args=XttsArgs(gpt_layers=3),
            audio=XttsAudioConfig(sample_rate=22050),
            datasets=[BaseDatasetConfig(dataset_name="stories", path="/data")],
        )
        torch.save({"config": config, "model": state()}, path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "TTS"]:
        monkeypatch.delitem(sys.modules, name)
    return path


def test_published_model_loads_without_coqui_and_is_not_rewritten(coqui_model: Path) -> None:
    before = coqui_model.read_bytes()
    coqui_model.chmod(0o444)
    coqui_model.parent.chmod(0o555)

    content = weights.load(coqui_model)

    coqui_model.parent.chmod(0o755)
    assert_same(content["model"], state())
    assert type(content["config"]) is dict
    assert type(content["config"]["model_args"]) is dict
    assert content["config"]["model_args"]["gpt_layers"] == 3
    assert content["config"]["audio"]["sample_rate"] == 22050
    assert content["config"]["datasets"][0]["dataset_name"] == "stories"
    assert not [name for name in sys.modules if name.partition(".")[0] == "TTS"]
    assert coqui_model.read_bytes() == before
    assert [entry.name for entry in coqui_model.parent.iterdir()] == ["model.pth"]


def test_allowed_names_are_forgotten_after_the_load(coqui_model: Path) -> None:
    import torch

    before = torch.serialization.get_safe_globals()
    weights.load(coqui_model)
    assert set(torch.serialization.get_safe_globals()) == set(before)
    assert not [entry for entry in before if isinstance(entry, tuple) and "TTS" in entry[1]]


def test_tensors_are_mapped_and_changes_stay_in_memory(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "w.pth"
    torch.save(state(), path)
    before = path.read_bytes()
    content = weights.load(path)
    assert str(path) in Path("/proc/self/maps").read_text()
    content["gpt.weight"].zero_()
    assert path.read_bytes() == before


@pytest.mark.parametrize("layout", ["zip", "zip unmapped", "old", "module", "tensor"])
def test_legitimate_layouts_load(tmp_path: Path, layout: str) -> None:
    import torch

    path = tmp_path / "w.pth"
    if layout == "tensor":
        torch.save(torch.arange(80.0), path)
        assert torch.equal(weights.load(path), torch.arange(80.0))
        return
    content: Any = state()
    if layout == "module":
        torch.manual_seed(1)
        content = torch.nn.Linear(4, 3).state_dict()
        assert type(content) is OrderedDict
    torch.save(content, path, _use_new_zipfile_serialization=layout != "old")
    found = weights.load(path, mmap=layout != "zip unmapped")
    assert type(found) is dict
    assert_same(found, content)


def test_containers_come_back_plain_with_sharing_and_cycles(tmp_path: Path) -> None:
    import torch

    shared = [1, 2]
    loop: list[Any] = [torch.nn.Parameter(torch.ones(2)), (3, None), {"x"}]
    loop.append(loop)
    path = tmp_path / "w.pth"
    torch.save({"a": shared, "b": shared, "loop": loop, "size": torch.Size([2, 3])}, path)
    found = weights.load(path)
    assert found["a"] is found["b"]
    assert found["loop"][3] is found["loop"]
    assert type(found["loop"][0]) is torch.Tensor
    assert type(found["size"]) is tuple


def test_a_bomb_of_shared_containers_stays_small(tmp_path: Path) -> None:
    import torch

    value: Any = ("x",)
    for _ in range(60):
        value = (value, value)
    torch.save({"a": value}, tmp_path / "w.pth")
    weights.load(tmp_path / "w.pth")


class Payload:
    """Pickles as a call of `os.system` that leaves a marker."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def raw(marker: Path, path: Path, protocol: int) -> None:
    path.write_bytes(pickle.dumps({"w": Payload(marker)}, protocol=protocol))


def zipped(marker: Path, path: Path, protocol: int = 2) -> None:
    import torch

    torch.save(
        {"model": state(), "optimizer": [{"x": Payload(marker)}]}, path, pickle_protocol=protocol
    )


def old_format(marker: Path, path: Path) -> None:
    import torch

    torch.save({"w": Payload(marker)}, path, _use_new_zipfile_serialization=False)


def nested(marker: Path, path: Path) -> None:
    """A call of pickle.loads on bytes that hold the payload."""
    import torch

    class Inner:
        def __reduce__(self) -> Any:
            return pickle.loads, (pickle.dumps(Payload(marker)),)

    torch.save({"w": Inner()}, path)


def instance_opcode(marker: Path, path: Path) -> None:
    path.write_bytes(f"(S'touch {marker}'\nios\nsystem\n.".encode())


def dotted(marker: Path, path: Path) -> None:
    """STACK_GLOBAL with a path that starts at an allowed name."""
    call = b"\x80\x04\x8c\x0btorch._utils\x8c\x0dimportlib.sys\x93N\x85R."
    path.write_bytes(call)


def build_on_function(marker: Path, path: Path) -> None:
    """BUILD that would change the defaults of an allowed function."""
    path.write_bytes(
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x0c\x00\x00\x00__defaults__Ns\x86b."
    )


def after_stop(marker: Path, path: Path) -> None:
    path.write_bytes(pickle.dumps({}, protocol=2) + pickle.dumps(Payload(marker), protocol=2))


def tar(marker: Path, path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            data = pickle.dumps(Payload(marker), protocol=2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def torchscript(marker: Path, path: Path) -> None:
    import torch

    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)


def deflated(marker: Path, path: Path) -> None:
    plain = path.with_name("plain.zip")
    zipped(marker, plain)
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for record in source.infolist():
            target.writestr(record.filename, source.read(record))
    plain.unlink()


def foreign_object(marker: Path, path: Path) -> None:
    """An allowed function that was never called is no data either."""
    import torch

    torch.save({"w": torch._utils._rebuild_tensor_v2}, path)


def sparse(marker: Path, path: Path) -> None:
    import torch

    torch.save({"w": torch.ones(2, 2).to_sparse()}, path)


MALICIOUS = [
    *((lambda m, p, n=n: raw(m, p, n)) for n in range(6)),
    *((lambda m, p, n=n: zipped(m, p, n)) for n in (2, 4)),
    old_format,
    nested,
    instance_opcode,
    dotted,
    build_on_function,
    tar,
    torchscript,
    deflated,
    foreign_object,
    sparse,
]


@pytest.mark.parametrize("make", MALICIOUS)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol", "ignore:.torch.jit")
def test_more_than_data_is_refused_and_nothing_runs(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # torch offers this switch; here it must change nothing.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    marker, path = tmp_path / "marker", tmp_path / "voice.pth"
    make(marker, path)
    before = path.read_bytes()
    with pytest.raises(UnsafeFileError, match=r"voice\.pth"):
        weights.load(path)
    assert not marker.exists()
    assert path.read_bytes() == before


def test_the_payload_of_these_tests_would_run(tmp_path: Path) -> None:
    raw(tmp_path / "marker", tmp_path / "voice.pth", 2)
    pickle.loads((tmp_path / "voice.pth").read_bytes())
    assert (tmp_path / "marker").exists()


def test_refusal_names_the_global_and_no_way_around_it(tmp_path: Path) -> None:
    zipped(tmp_path / "marker", tmp_path / "voice.pth")
    with pytest.raises(UnsafeFileError) as refusal:
        weights.load(tmp_path / "voice.pth")
    assert "system" in str(refusal.value)
    assert "weights_only" not in str(refusal.value)


def test_nothing_behind_the_first_pickle_runs(tmp_path: Path) -> None:
    after_stop(tmp_path / "marker", tmp_path / "voice.pth")
    with pytest.raises((UnsafeFileError, DamagedError)):
        weights.load(tmp_path / "voice.pth")
    assert not (tmp_path / "marker").exists()


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    body = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    path = tmp_path / "voice.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("voice/data.pkl", body)
        archive.writestr("voice/version", "3\n")
        archive.writestr("voice/byteorder", "little")
    with pytest.raises(UnsafeFileError, match="nested"):
        weights.load(path)


@pytest.mark.parametrize("new_format", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.97])
def test_cut_files_are_damaged(tmp_path: Path, new_format: bool, share: float) -> None:
    import torch

    path = tmp_path / "w.pth"
    torch.save(state(), path, _use_new_zipfile_serialization=new_format)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedError, match=r"w\.pth"):
        weights.load(path)


@pytest.mark.parametrize(
    "content", [b"<!doctype html>", b"{}", b"PK\x03\x04" + bytes(64), bytes(600)]
)
def test_other_files_are_not_weights(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises((DamagedError, UnsafeFileError), match=r"w\.pth"):
        weights.load(tmp_path / "w.pth")


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(DamagedError, match=path.name):
            weights.load(path)
