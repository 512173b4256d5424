"""Generates the Python code beside the .proto files: messages, stubs, and the names each group exports.

``python protos/generate.py`` writes in place; ``--check`` writes nothing and exits 1 when a file would change.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
# Our own files, google.rpc from googleapis-common-protos, and protobuf's well-known types.
PROTO_PATHS = [f"-I{ROOT}", f"-I{sysconfig.get_paths()['purelib']}", f"-I{grpc_tools.__path__[0]}/_proto"]


def proto_files() -> list[str]:
    """Return every .proto file of ours, relative to ``protos/``, sorted."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.proto"))


def compile_into(out: Path) -> None:
    """Run protoc over all files; raises SystemExit with its code when it refuses them."""
    services = [name for name in proto_files() if "\nservice " in (ROOT / name).read_text()]
    runs = [
        [f"--python_out={out}", f"--mypy_out=quiet:{out}", *proto_files()],
        [f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services],
        [f"--descriptor_set_out={out / 'set.binpb'}", *proto_files()],
    ]
    for run in runs:
        if code := protoc.main(["protoc", *PROTO_PATHS, *run]):
            raise SystemExit(code)


def exports(out: Path) -> Iterator[tuple[Path, str]]:
    """Yield the ``__init__.py`` of each group: a docstring line and the names of its messages and enums."""
    files = FileDescriptorSet.FromString((out / "set.binpb").read_bytes()).file
    groups: dict[str, dict[str, list[str]]] = {}
    for file in files:
        names = [message.name for message in file.message_type] + [enum.name for enum in file.enum_type]
        module = Path(file.name).stem + "_pb2"
        groups.setdefault(str(Path(file.name).parent), {})[module] = sorted(names)
    for folder, modules in sorted(groups.items()):
        package = folder.replace("/", ".")
        lines = [f'"""Generated messages of {package}; see the .proto files beside this one."""', ""]
        for module, names in sorted(modules.items()):
            lines.append(f"from {package}.{module} import (")
            lines += [f"    {name} as {name}," for name in names]
            lines.append(")")
        yield Path(folder) / "__init__.py", "\n".join(lines) + "\n"
        yield Path(folder).parent / "__init__.py", f'"""The {Path(folder).parent.name} group."""\n'


def generated() -> dict[Path, str]:
    """Return every generated file and its text, by its path relative to ``protos/``."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        compile_into(out)
        texts = {path.relative_to(out): path.read_text() for path in out.rglob("*.py*") if path.is_file()}
        texts.update(exports(out))
    texts[Path("rollplane/__init__.py")] = '"""Generated API messages, one package for each group and version."""\n'
    texts[Path("rollplane/py.typed")] = ""
    return texts


def main() -> int:
    """Write the generated files, or with ``--check`` name those that are not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    check = parser.parse_args().check
    texts = generated()
    stale = [path for path, text in texts.items() if not (ROOT / path).is_file() or (ROOT / path).read_text() != text]
    orphans = [
        path
        for path in ROOT.joinpath("rollplane").rglob("*_pb2*.py*")
        if path.suffix in {".py", ".pyi"} and path.relative_to(ROOT) not in texts
    ]
    if check:
        for path in [*stale, *orphans]:
            print(f"out of date: protos/{path} (run `make protos`)", file=sys.stderr)
        return 1 if stale or orphans else 0
    for path in orphans:
        path.unlink()
    for path in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(texts[path])
    print(f"{len(stale)} of {len(texts)} generated files written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
