"""An audit line is the last statement of its transaction: the lock it takes is held until the commit."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.unit.test_house_rules import MODULES, Module

OTHERS_WAIT = (
    "async def f():\n    async with d.transaction() as c:\n        await audit.append(c)\n        await slow(c)\n"
)


def appends(node: ast.AST) -> bool:
    """Whether `audit.append(…)` is called somewhere in it."""
    calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return any(ast.unparse(call) == "audit.append" for call in calls)


def early(body: list[ast.stmt]) -> Iterator[int]:
    """The lines of statements that append and are followed by another that waits for something."""
    for number, statement in enumerate(body):
        following = body[number + 1 :]
        if appends(statement) and any(isinstance(part, ast.Await) for one in following for part in ast.walk(one)):
            yield statement.lineno


def found(tree: ast.AST) -> list[int]:
    """Of every block inside a transaction, or of a function that is given its connection."""
    blocks = [
        node.body for node in ast.walk(tree) if isinstance(node, ast.AsyncWith) and "transaction" in ast.dump(node)
    ]
    given = [node.body for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef) and is_given(node)]
    return [line for body in [*blocks, *given] for line in early(body)]


def is_given(function: ast.AsyncFunctionDef) -> bool:
    return any(one.arg in ("conn", "connection") for one in function.args.args)


def test_it_is_the_last_that_waits() -> None:
    early_ones = {module.name: found(module.tree) for module in MODULES if writes(module)}
    assert len(early_ones) > 5
    assert {name: lines for name, lines in early_ones.items() if lines} == {}
    assert found(ast.parse(OTHERS_WAIT)) == [3]


def writes(module: Module) -> bool:
    return "audit.append(" in module.text
