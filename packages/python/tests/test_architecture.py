"""How the modules of the package may import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import gatepass

PACKAGE = Path(gatepass.__file__).parent
# Adapters to frameworks and clients are on top of the public API, and of what they have in common.
FOR_ADAPTERS = {"gatepass._arguments", "gatepass._calls", "gatepass._guard", "gatepass._types"}
ADAPTERS = {"gatepass.asgi", "gatepass.flask", "gatepass.httpx", "gatepass.requests"}


def modules() -> dict[str, str]:
    """The source of each module by its name, the stub of the native one included."""
    files = [file for file in PACKAGE.rglob("*.py*") if file.suffix in (".py", ".pyi")]
    return {name_of(file): file.read_text() for file in files}


def name_of(file: Path) -> str:
    parts = ("gatepass", *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


def imports(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """What each module imports of the package, wherever in it, and even if for type checkers only."""
    return {name: set(imported_by(source, sources)) for name, source in sources.items()}


def imported_by(source: str, known: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            # A name is a module of the package, or something in the package itself.
            yield from (
                name if (name := f"{node.module}.{a.name}") in known else node.module for a in node.names
            )


def test_an_adapter_uses_the_public_api_only() -> None:
    graph = imports(modules())
    assert set(graph) >= ADAPTERS
    private = {(name, used) for name in ADAPTERS for used in graph[name] if "._" in used}
    assert {used for _, used in private} <= FOR_ADAPTERS
