"""The rules of this house that no linter on the market knows."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tokenize
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, TypeVar

ROOT = Path(__file__).parents[2]
OF_THE_PEERS = ("bench/api/peer.py", "bench/api/peer_models.py")
"""A server of its own in the peers' environment, as its libraries' users write one; nothing of ours imports it."""
PACKAGES = ("schemas", "storage", "web", "ingest", "processors", "api", "leadwire", "bench")
GENERATED = ("schemas/ecg_pb2.py",)

MODULE_LINES = 400
FUNCTION_LINES = 40
LONG_DOCSTRINGS = {
    "schemas/errors.py": "draws the tree of errors",
    "leadwire/guard.py": "is a program of its own, and this is its manual",
    "leadwire/embedded.py": "the one place that says where Tansu is not Kafka",
}
UNNAMED = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "tools"}
Node = TypeVar("Node", bound=ast.AST)
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A module of ours, read but not imported."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def dotted(self) -> str:
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def comments(self) -> dict[int, str]:
        """The comment on each line that has one."""
        with self.path.open("rb") as file:
            return {t.start[0]: t.string for t in tokenize.tokenize(file.readline) if t.type == tokenize.COMMENT}

    @cached_property
    def functions(self) -> list[Function]:
        return [*self.all(ast.FunctionDef), *self.all(ast.AsyncFunctionDef)]

    def all(self, kind: type[Node]) -> list[Node]:
        return [node for node in ast.walk(self.tree) if isinstance(node, kind)]

    def has_reason(self, line: int) -> bool:
        """Whether a comment on this line, or alone on the line above, says more than what it silences."""
        said = re.sub(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\])", "", self.comments.get(line, ""))
        alone = self.text.splitlines()[line - 2].lstrip().startswith("#") if line > 1 else False
        return alone or len(said.strip("# -")) > 5


MODULES = [
    module
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if (module := Module(path)).name not in GENERATED
]
LENGTHS = {f"{m.name}:{f.name}": (f.end_lineno or f.lineno) - f.lineno + 1 for m in MODULES for f in m.functions}


def test_no_stream_is_taken_with_an_acknowledgement() -> None:
    """Faust's take() acknowledges even when the body raises; noack_take() does not."""
    called = {m.name: called_on_streams(m.tree) for m in MODULES if m.name.startswith("processors/")}
    assert {name: methods for name, methods in called.items() if methods} == {"processors/pipeline.py": {"noack_take"}}
    assert called_on_streams(ast.parse("async def f(stream): stream.take(5, within=1)")) == {"take"}


def test_nothing_is_pickled() -> None:
    picklers = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
    assert [m.name for m in MODULES if imported(m) & picklers] == []
    assert [m.name for m in MODULES if "pickle" in [node.value for node in m.all(ast.Constant)]] == []


def test_everything_is_caught_only_for_a_reason() -> None:
    """Or to clean up and raise it again."""
    swallowed = [(m, h) for m in MODULES for h in m.all(ast.ExceptHandler) if is_broad(h) and not raises_again(h)]
    assert [f"{m.name}:{h.lineno}" for m, h in swallowed if h.lineno not in m.comments] == []
    assert [f"{m.name}:{h.lineno}" for m, h in swallowed if not m.has_reason(h.lineno)] == []


def test_every_silenced_rule_has_its_reason() -> None:
    silenced = [(m, n) for m in MODULES for n, text in m.comments.items() if re.search(r"noqa|type: ignore", text)]
    assert [f"{m.name}:{line}" for m, line in silenced if not m.has_reason(line)] == []


def test_every_module_says_in_a_line_what_it_is() -> None:
    said = {m.name: ast.get_docstring(m.tree) or "" for m in MODULES}
    assert [name for name, text in said.items() if not text.strip()] == []
    assert {name for name, text in said.items() if "\n" in text} == set(LONG_DOCSTRINGS)


def test_a_package_is_a_docstring_and_exports_nothing() -> None:
    packages = [m for m in MODULES if m.path.name == "__init__.py"]
    assert [m.name for m in packages if [type(node) for node in m.tree.body] != [ast.Expr]] == []


def test_functions_are_short() -> None:
    assert [name for name, lines in LENGTHS.items() if lines > FUNCTION_LINES] == []


def test_modules_are_short() -> None:
    assert [m.name for m in MODULES if m.text.count("\n") > MODULE_LINES] == []


def test_nothing_is_printed_but_for_people() -> None:
    calls = [(m, c) for m in MODULES if not m.name.startswith("bench/") for c in m.all(ast.Call)]
    prints = [(m, c.lineno) for m, c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]
    assert [f"{m.name}:{line}" for m, line in prints if not m.has_reason(line)] == []


def test_every_moment_has_its_zone() -> None:
    assert [f"{m.name}:{c.lineno}" for m in MODULES for c in m.all(ast.Call) if is_naive(c)] == []
    assert all(is_naive(c) for c in calls_of("datetime.now()", "datetime.datetime.now()", "datetime.utcnow()"))


def test_every_module_is_named_for_what_it_is() -> None:
    assert [m.name for m in MODULES if UNNAMED & set(m.dotted.split("."))] == []


def test_nothing_is_imported_inside_a_function_but_to_start_fast() -> None:
    """Commands import what they run, so that --help is quick; elsewhere a comment says why."""
    inside = [
        (m, node.lineno)
        for m in MODULES
        if not m.name.startswith("leadwire/commands/")
        for function in m.functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert [f"{m.name}:{line}" for m, line in inside if not m.has_reason(line)] == []


def test_importing_anything_starts_no_thread_connects_nowhere_and_reads_no_setting() -> None:
    """In a process of its own, with settings that would be refused if anyone read them."""
    names = [m.dotted for m in MODULES if m.path.stem != "__main__" and m.name not in OF_THE_PEERS]
    refused = {"LEADWIRE_KAFKA_PARTITIONS": "none", "LOG_LEVEL": "none", "SECRET_KEY": "short"}
    command = [sys.executable, "-c", _IMPORT, *names]
    env = {**os.environ, **refused, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


_IMPORT = """
import importlib, sys, threading
from pathlib import Path

def watch(event, args):
    if event in ("socket.connect", "subprocess.Popen"):
        print(event, args[1])
    if event == "open" and str(args[0]).endswith(".env"):
        print(event, args[0])

sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            sys.exit(f"{name} started {thread}")
"""


def test_the_wheel_holds_every_package_there_is() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {m.path.parent.relative_to(ROOT) for m in MODULES if not m.name.startswith("bench/")}
    assert set(settings["packages"]) == {folder.as_posix().replace("/", ".") for folder in folders}
    assert len(settings["packages"]) == len(folders)


def test_every_folder_of_code_is_a_package() -> None:
    folders = {m.path.parent for m in MODULES}
    assert [folder.name for folder in folders if not (folder / "__init__.py").is_file()] == []


def calls_of(*expressions: str) -> list[ast.Call]:
    return [node for text in expressions for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]


def called_on_streams(tree: ast.AST) -> set[str]:
    """Methods called on anything named stream."""
    attributes = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)]
    return {n.attr for n in attributes if isinstance(n.value, ast.Name) and n.value.id.endswith("stream")}


def imported(module: Module) -> set[str]:
    """The top of everything a module imports."""
    names = {alias.name for node in module.all(ast.Import) for alias in node.names}
    return {name.split(".")[0] for name in names | {node.module or "" for node in module.all(ast.ImportFrom)}}


def is_broad(handler: ast.ExceptHandler) -> bool:
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(n is None or (isinstance(n, ast.Name) and n.id in {"Exception", "BaseException"}) for n in named)


def raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def is_naive(call: ast.Call) -> bool:
    """datetime.now() without a zone, and what never has one."""
    if not isinstance(call.func, ast.Attribute):
        return False
    bare = not call.args and not call.keywords
    of_datetime = ast.unparse(call.func.value).endswith("datetime")
    return call.func.attr in {"utcnow", "utcfromtimestamp"} or (call.func.attr == "now" and of_datetime and bare)
