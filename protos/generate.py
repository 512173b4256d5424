"""Generates what stands beside the .proto files: messages, stubs, the names each group exports, and the comments.

``python protos/generate.py`` writes in place; ``--check`` writes nothing and exits 1 when a file would change;
``--lint`` runs ``buf lint`` with the rules of ``buf.yaml``. None of them needs a network.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import grpc_tools  # type: ignore[import-untyped]
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
# Our own files, google.rpc from googleapis-common-protos, and protobuf's well-known types.
PROTO_PATHS = [f"-I{ROOT}", f"-I{sysconfig.get_path('purelib')}", f"-I{grpc_tools.__path__[0]}/_proto"]

COMMENTS = Path("rollplane/comments.json")
NOT_KUBERNETES = ("rollplane.api.", "rollplane.json.")


def tool(name: str) -> str:
    """Return the path of a development tool: this interpreter's own first, so that no PATH need be set."""
    path = shutil.which(name, path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")]))
    if path is None:
        raise SystemExit(f"{name} is not installed (run `make dev`)")
    return path


def proto_files() -> list[str]:
    """Return every .proto file of ours, relative to ``protos/``, sorted."""
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.proto"))


def run_protoc(*arguments: str) -> None:
    """Run protoc in this process; raises SystemExit with its code when it refuses a file."""
    if code := protoc.main(["protoc", *PROTO_PATHS, *arguments]):
        raise SystemExit(code)


def compile_into(out: Path) -> None:
    """Generate messages, service stubs and the descriptor set ``set.binpb`` of all files."""
    plugins = [f"--plugin={name}={tool(name)}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    services = [name for name in proto_files() if "\nservice " in (ROOT / name).read_text()]
    descriptors = ("--include_source_info", f"--descriptor_set_out={out / 'set.binpb'}")
    run_protoc(*plugins, f"--python_out={out}", f"--mypy_out=quiet:{out}", *descriptors, *proto_files())
    run_protoc(*plugins, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services)


def descriptors_in(out: Path) -> Sequence[FileDescriptorProto]:
    """Return the descriptors of all files, with their comments."""
    return FileDescriptorSet.FromString((out / "set.binpb").read_bytes()).file


def exports(files: Sequence[FileDescriptorProto]) -> Iterator[tuple[Path, str]]:
    """Yield the ``__init__.py`` of each group: a docstring line, and its messages, enums and field options by name."""
    groups: dict[str, dict[str, list[str]]] = {}
    for file in files:
        names = [message.name for message in file.message_type]
        names += [enum.name for enum in file.enum_type]
        names += [option.name for option in file.extension]
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


def comments(files: Sequence[FileDescriptorProto]) -> dict[str, str]:
    """Return the comment on each message and field of the Kubernetes API by its full name, in the words of JSON.

    Descriptors of generated code carry no comments; API documents are made from these.
    """
    ours = [file for file in files if not file.package.startswith(NOT_KUBERNETES)]
    words = {field.name: field.json_name for file in ours for message in file.message_type for field in message.field}
    return {name: in_json_words(text, words) for file in ours for name, text in comments_of(file)}


def comments_of(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """Yield the full names of messages and fields that have a comment, and the comment."""
    for location in file.source_code_info.location:
        match list(location.path):
            case [4, number]:
                name = file.message_type[number].name
            case [4, number, 2, member]:
                message = file.message_type[number]
                name = f"{message.name}.{message.field[member].name}"
            case _:
                continue
        if location.leading_comments:
            yield f"{file.package}.{name}", location.leading_comments


def in_json_words(comment: str, words: dict[str, str]) -> str:
    """Return ``comment`` as running text, fields named as JSON has them (``min_ready_seconds``: minReadySeconds)."""
    text = " ".join(comment.split())
    return re.sub(r"\b[a-z]+(?:_[a-z0-9]+)+\b", lambda match: words.get(match[0], match[0]), text)


def generated() -> dict[Path, str]:
    """Return every generated file and its text, by its path relative to ``protos/``."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        compile_into(out)
        texts = {path.relative_to(out): path.read_text() for path in out.rglob("*.py*") if path.is_file()}
        files = descriptors_in(out)
    texts.update(exports(files))
    texts[COMMENTS] = json.dumps(comments(files), ensure_ascii=False, indent=0, sort_keys=True) + "\n"
    texts[Path("rollplane/__init__.py")] = '"""Generated API messages, one package for each group and version."""\n'
    texts[Path("rollplane/py.typed")] = ""
    return texts


def stale(texts: dict[Path, str]) -> list[Path]:
    """Return the paths whose file is absent or holds another text."""
    return [path for path, text in texts.items() if not (ROOT / path).is_file() or (ROOT / path).read_text() != text]


def orphans(texts: dict[Path, str]) -> list[Path]:
    """Return generated files whose .proto file is gone."""
    present = (path.relative_to(ROOT) for path in ROOT.joinpath("rollplane").rglob("*_pb2*.py*"))
    return [path for path in present if path.suffix in {".py", ".pyi"} and path not in texts]


def check() -> int:
    """Name every generated file that is not up to date; return 1 when there is one."""
    texts = generated()
    outdated = [*stale(texts), *orphans(texts)]
    for path in outdated:
        print(f"out of date: protos/{path} (run `make protos`)", file=sys.stderr)
    return 1 if outdated else 0


def write() -> int:
    """Bring the generated files up to date, removing those without a source."""
    texts = generated()
    changed = stale(texts)
    for path in orphans(texts):
        (ROOT / path).unlink()
    for path in changed:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(texts[path])
    print(f"{len(changed)} of {len(texts)} generated files written")
    return 0


def lint() -> int:
    """Run ``buf lint``; return its exit code.

    buf would fetch google.rpc from its registry. It lints a descriptor set just as well, and protoc makes one from the
    files installed here; ``--path`` keeps the imports in it from being linted themselves.
    """
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.binpb"
        run_protoc("--include_imports", "--include_source_info", f"--descriptor_set_out={image}", *proto_files())
        command = [tool("buf"), "lint", str(image), "--config", str(ROOT / "buf.yaml"), "--path", "rollplane"]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - no part of it comes from outside


def main() -> int:
    """Write, check or lint; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    mode.add_argument("--lint", action="store_true", help="check the .proto files against buf.yaml")
    options = parser.parse_args()
    if options.lint:
        return lint()
    return check() if options.check else write()


if __name__ == "__main__":
    raise SystemExit(main())
