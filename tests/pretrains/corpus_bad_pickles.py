"""Pickles that call, build or hide something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from corpus_parts import (
    Case,
    call,
    calls,
    glob,
    good,
    group,
    number,
    payload,
    put,
    short,
    storage,
    stream,
    table,
    tensor,
    text,
    touch,
    whole,
)


def reduce_cases() -> Iterator[Case]:
    for name in calls(Path("m")):
        yield Case(
            "reduce",
            name,
            lambda path, marker, name=name: put(path, whole(table(model=calls(marker)[name]))),
        )


def operation_cases() -> Iterator[Case]:
    """INST, OBJ, NEWOBJ, BUILD, EXT and STACK_GLOBAL, in both formats of torch and bare."""
    operations: dict[str, dict[str, Callable[[Path], bytes]]] = {
        "inst": {
            "system": lambda m: f"(S'touch {m}'\nios\nsystem\n".encode(),
            "eval": lambda m: f"(S'open({str(m)!r},chr(119))'\nibuiltins\neval\n".encode(),
            "class": lambda m: b"(icollections\nOrderedDict\n" + payload(m) + b"b",
        },
        "obj": {
            "system": lambda m: b"(" + glob("os.system") + touch(m) + b"o",
            "popen": lambda m: b"(" + glob("subprocess.Popen") + touch(m) + b"o",
            "allowed": lambda m: b"(" + glob("collections.OrderedDict") + b"o" + payload(m) + b"b",
        },
        "newobj": {
            "system": lambda m: glob("os.system") + group(touch(m)) + b"\x81",
            "popen": lambda m: glob("subprocess.Popen") + group(touch(m)) + b"\x81",
            "with keywords": lambda m: glob("subprocess.Popen") + group(touch(m)) + b"}\x92",
        },
        "build": {
            "class": lambda m: (
                glob("collections.OrderedDict") + b")\x81" + table(__class__=payload(m)) + b"b"
            ),
            "defaults": lambda m: (
                glob("torch._utils._rebuild_tensor_v2")
                + b"N"
                + table(__defaults__=payload(m))
                + b"\x86b"
            ),
            "setstate": lambda m: (
                glob("TTS.tts.configs.xtts_config.XttsConfig") + b")\x81" + payload(m) + b"b"
            ),
        },
        "ext": {
            "one": lambda m: b"\x82\x01" + group(touch(m)) + b"R",
            "two": lambda m: b"\x83\x01\x00" + group(touch(m)) + b"R",
            "four": lambda m: b"\x84\x01\x00\x00\x00" + group(touch(m)) + b"R",
        },
        "stack global": {
            "plain": lambda m: short("os") + short("system") + b"\x93" + group(touch(m)) + b"R",
            "dotted": lambda m: (
                short("torch.serialization") + short("os.system") + b"\x93" + group(touch(m)) + b"R"
            ),
            "allowed start": lambda m: (
                short("collections") + short("OrderedDict.__init__.__globals__") + b"\x93"
            ),
        },
    }
    for kind, bodies in operations.items():
        for name, body in bodies.items():

            def in_zip(path: Path, marker: Path, body: Any = body) -> None:
                put(path, whole(table(model=body(marker)), 4))

            def in_stream(path: Path, marker: Path, body: Any = body) -> None:
                stream(path, whole(table(model=body(marker)), 4))

            yield Case(kind, f"{name}, zip", in_zip)
            yield Case(kind, f"{name}, stream", in_stream)


def memo_cases() -> Iterator[Case]:
    system = glob("posix.system")
    bodies: dict[str, Callable[[Path], bytes]] = {
        "a name for later": lambda m: system + b"q\x000h\x00" + group(touch(m)) + b"R",
        "put over an allowed one": lambda m: (
            glob("collections.OrderedDict")
            + b"q\x000"
            + system
            + b"q\x000h\x00"
            + group(touch(m))
            + b"R"
        ),
        "never put": lambda m: b"h\x07" + group(touch(m)) + b"R",
        "never put, far": lambda m: b"j\xff\xff\xff\x7f" + group(touch(m)) + b"R",
        "negative": lambda m: b"Nr\xff\xff\xff\xff" + b"0" + payload(m),
        "itself": lambda m: b"]q\x00h\x00a" + payload(m) + b"a",
        "memoize": lambda m: system + b"\x940h\x00" + group(touch(m)) + b"R",
    }
    for name, body in bodies.items():
        yield Case(
            "memo",
            name,
            lambda path, marker, body=body: put(path, whole(table(model=body(marker)), 4)),
        )


def nested_cases() -> Iterator[Case]:
    """Pickles inside of pickles, for a name that unpickles them."""
    for name in (
        "torch.storage._load_from_bytes",
        "pickle.loads",
        "_pickle.loads",
        "torch._utils._unpickle",
        "joblib.load",
        "dill.loads",
        "marshal.loads",
        "numpy.core.multiarray._reconstruct",
    ):

        def make(path: Path, marker: Path, name: str = name) -> None:
            inner = whole(payload(marker)).decode("latin-1")
            data = call(glob("_codecs.encode"), text(inner), text("latin1"))
            put(path, whole(table(model=call(glob(name), data))))

        yield Case("nested", name, make)


def after_stop_cases() -> Iterator[Case]:
    def behind(path: Path, marker: Path) -> None:
        put(path, good() + whole(payload(marker)))

    def many(path: Path, marker: Path) -> None:
        put(path, good() + whole(payload(marker)) * 50)

    def bare(path: Path, marker: Path) -> None:
        path.write_bytes(whole(b"}") + whole(payload(marker)))

    def behind_stream(path: Path, marker: Path) -> None:
        stream(path, whole(table(model=b"}")), tail=whole(payload(marker)))

    def behind_zip(path: Path, marker: Path) -> None:
        put(path, good())
        path.write_bytes(path.read_bytes() + whole(payload(marker)))

    def zeros(path: Path, marker: Path) -> None:
        put(path, good() + bytes(64))

    makes = (behind, many, bare, behind_stream, behind_zip, zeros)
    yield from (Case("after stop", make.__name__, make) for make in makes)


def no_stop_cases() -> Iterator[Case]:
    for share in (0.0, 0.2, 0.5, 0.9):
        yield Case(
            "no stop",
            f"{share:.0%} of it",
            lambda path, marker, share=share: put(path, good()[: int(len(good()) * share)]),
        )
    yield Case("no stop", "stream", lambda path, marker: stream(path, good()[:-1]))
    yield Case(
        "no stop",
        "payload without end",
        lambda path, marker: put(path, b"\x80\x02" + payload(marker)),
    )


def extension_cases() -> Iterator[Case]:
    for suffix in (".safetensors", ".json", ".bin", ".png", ".txt", ".index", ""):
        yield Case(
            "extension",
            suffix or "none",
            lambda path, marker: put(path, whole(table(model=payload(marker)))),
            suffix,
        )


def place_cases() -> Iterator[Case]:
    """Payloads where nobody looks: beside the weights, in keys, in what torch keeps of a tensor."""

    def checkpoint(**more: bytes) -> bytes:
        return whole(table(model=table(weight=tensor()), iteration=number(3), **more))

    bodies: dict[str, Callable[[Path], bytes]] = {
        "optimizer": lambda m: checkpoint(optimizer=table(state=payload(m))),
        "learning rate": lambda m: checkpoint(learning_rate=payload(m)),
        "config": lambda m: checkpoint(config=b"]" + payload(m) + b"a"),
        "scaler": lambda m: checkpoint(scaler=table(scale=payload(m))),
        "a key": lambda m: whole(b"}" + payload(m) + b"Ns"),
        "hooks": lambda m: whole(
            table(
                weight=call(
                    glob("torch._utils._rebuild_tensor_v2"),
                    storage(4), number(0), group(number(4)), group(number(1)), b"\x89", payload(m),
                )
            )
        ),
        "a storage's place": lambda m: whole(table(weight=group(text("storage"), payload(m)) + b"Q")),
        "metadata of a state dict": lambda m: whole(
            call(glob("collections.OrderedDict")) + table(_metadata=payload(m)) + b"b"
        ),
    }  # fmt: skip
    for name, body in bodies.items():
        yield Case("place", name, lambda path, marker, body=body: put(path, body(marker)))


def metadata_cases() -> Iterator[Case]:
    """The `.metadata` of a distributed checkpoint, which is a bare pickle."""
    for protocol in range(2, 6):

        def make(path: Path, marker: Path, protocol: int = protocol) -> None:
            name = "torch.distributed.checkpoint.metadata.Metadata"
            body = glob(name) + b")\x81" + table(state_dict_metadata=payload(marker)) + b"b"
            path.write_bytes(whole(body, protocol))

        yield Case("dcp", f"protocol {protocol}", make, ".metadata")
    yield Case("dcp", "in a zip", lambda p, m: put(p, whole(payload(m))), ".distcp")
