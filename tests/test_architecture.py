"""The rules of the house (docs/ARCHITECTURE.md), held by reading the source: imports, sizes, and what is never done."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from core import errors

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {
    "chromadb",
    "huggingface_hub",
    "llama_cpp",
    "openai",
    "pandas",
    "plotly",
    "sentence_transformers",
    "torch",
    "transformers",
}
LAYERS: tuple[tuple[str, ...], ...] = (
    ("core.__main__", "core.api", "core.cli"),
    (
        "core",
        "core.gguf.beside",
        "core.gguf.hashing",
        "core.gguf.quality",
        "core.gguf.quantize",
        "core.gguf.speed",
        "core.gguf.studies",
        "core.gguf.study",
        "core.gguf.study_run",
        "core.gguf.sweep",
        "core.gguf.verdict",
    ),
    ("core.models",),
    ("core.gguf",),
    (
        "core.child",
        "core.errors",
        "core.events",
        "core.figures",
        "core.late",
        "core.messages",
        "core.metrics",
        "core.settings",
        "core.words",
    ),
)
"""Core from top to bottom, by the longest name that fits; a module imports its own layer and those below."""


def sources(*folders: str) -> list[Path]:
    """The Python files of these folders of the repository, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """A file's dotted module name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Names of the modules that a file imports; `top_level`: only those that importing the file imports."""
    for node in at_import(tree(path)) if top_level else ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: no bodies of functions, nothing for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        yield child
        yield from at_import(child)


@cache
def graph() -> dict[str, set[str]]:
    """Which module of ours imports which, wherever in the file it does."""
    files = {name_of(path): path for path in [*sources("core", "pages"), *ROOT.glob("app.py")]}
    edges: dict[str, set[str]] = {}
    for name, path in files.items():
        found = set(imported(path)) & files.keys()
        # `from core import metrics` imports the module, not the package it lies in
        edges[name] = {one for one in found if not any(other.startswith(f"{one}.") for other in found)} - {name}
    return edges


def arrows() -> Iterator[tuple[str, str]]:
    for importer, targets in graph().items():
        yield from ((importer, target) for target in sorted(targets))


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def layer(name: str) -> int:
    """0 is the top."""
    fitting = [(len(prefix), depth) for depth, row in enumerate(LAYERS) for prefix in row if inside(name, prefix)]
    return max(fitting)[1]


def circle(edges: dict[str, set[str]]) -> list[str]:
    """One circle of imports, or an empty list."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in sorted(edges.get(name, ())):
            if found := walk(target, [*trail, name]):
                return found
        done.add(name)
        return []

    return next((found for name in edges if (found := walk(name, []))), [])


def test_the_graph_is_seen() -> None:
    assert "core.words" in graph()["pages.ui.words"]
    assert len(graph()) > 20


def test_circles_are_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_nothing_lies_directly_in_pages() -> None:
    assert [path.name for path in (ROOT / "pages").glob("*.py")] == ["__init__.py"]


def test_core_knows_no_page() -> None:
    wrong = [
        (name_of(path), target)
        for path in sources("core")
        for target in imported(path)
        if target.split(".")[0] in ("streamlit", "pages", "app")
    ]
    assert wrong == []


def test_nothing_imports_the_other_side_of_the_wall() -> None:
    assert [
        (importer, target)
        for importer, target in arrows()
        if inside(target, "core.llamacpp") and not inside(importer, "core.llamacpp")
    ] == []


def test_llama_cpp_is_imported_behind_the_wall_only() -> None:
    wrong = [
        name_of(path)
        for path in [*sources("core", "pages"), *ROOT.glob("app.py")]
        if not inside(name_of(path), "core.llamacpp") and any(inside(one, "llama_cpp") for one in imported(path))
    ]
    assert wrong == []


def test_pages_import_no_other_page() -> None:
    wrong = [
        (importer, target)
        for importer, target in arrows()
        if inside(importer, "pages") and inside(target, "pages") and target != "pages"
        if target.split(".")[1] not in ("ui", importer.split(".")[1])
    ]
    assert wrong == []


def test_imports_go_down() -> None:
    wrong = [
        f"{importer} -> {target}"
        for importer, target in arrows()
        if inside(importer, "core") and inside(target, "core") and "core" not in (importer, target)
        if layer(importer) > layer(target)
    ]
    assert wrong == []


def test_no_click_is_lost() -> None:
    """A button that only returns whether it was pressed forgets it when its run is broken off (pages/ui/press.py)."""
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("pages")
        if name_of(path) != "pages.ui.press"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("button", "menu_button", "form_submit_button") and ast.unparse(node.func.value) != "press"
        if "on_click" not in [keyword.arg for keyword in node.keywords]
    ]
    assert wrong == []


def test_nothing_imports_the_server() -> None:
    assert [importer for importer, target in arrows() if target == "app"] == []


def test_imports_make_no_circle() -> None:
    assert circle(graph()) == []


def test_heavy_modules_are_imported_where_they_are_used() -> None:
    wrong = [
        (name_of(path), target)
        for path in [*sources("core", "pages"), *ROOT.glob("app.py")]
        for target in imported(path, top_level=True)
        if target in HEAVY and not (target == "llama_cpp" and inside(name_of(path), "core.llamacpp"))
    ]
    assert wrong == []


def test_importing_core_is_light() -> None:
    names = [name_of(path) for path in sources("core") if not inside(name_of(path), "core.llamacpp")]
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print(sorted({HEAVY!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_server_starts_without_what_it_may_never_need() -> None:
    program = "import core.workbench, sys; print([one for one in ('numpy', 'filelock') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("banned", ["pickle", "shelve", "dill", "joblib"])
def test_nothing_is_pickled(banned: str) -> None:
    assert [name_of(p) for p in sources("core", "pages") if any(inside(one, banned) for one in imported(p))] == []


def test_no_html_is_let_through() -> None:
    wrong = [name_of(p) for p in sources("core", "pages") if "unsafe_allow_html" in p.read_text(encoding="utf-8")]
    assert wrong == []


def test_files_are_short() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*sources("core", "pages", "tests", "scripts", "benchmarks"), *ROOT.glob("*.py")]
    }
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
    assert {
        name: lines for name, lines in lengths.items() if re.fullmatch("pages/\\w+/page.py", name) and lines > 150
    } == {}


def test_every_module_says_what_it_is() -> None:
    assert [name_of(path) for path in sources("core", "pages", "scripts") if not ast.get_docstring(tree(path))] == []


def drawn_errors() -> dict[str, str]:
    """The tree that core/errors opens with: each class and its parent."""
    parents: dict[str, str] = {}
    above = {0: "WorkbenchError"}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"^(\s*(?:│\s+)*)[├└]── (\w+)", line.removeprefix("    ")):
            depth = len(found[1]) // 4 + 1
            parents[found[2]] = above[depth - 1]
            above[depth] = found[2]
    return parents


def test_the_errors_are_drawn_as_they_are() -> None:
    things = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    classes = [kind for kind in things if issubclass(kind, errors.WorkbenchError)]
    real = {kind.__name__: kind.__base__.__name__ for kind in classes if kind is not errors.WorkbenchError}
    assert drawn_errors() == real
    assert [kind.__name__ for kind in classes if not getattr(kind, "message", "") or not kind.__doc__] == []
