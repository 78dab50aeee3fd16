"""What keeps the project in one shape: its folders, its one-way imports, its documented public names."""

import ast
import csv
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("gracethd", "resilience")
FOLDERS = {".ci", "benchmarks", "data", "docs", "gracethd", "notebooks", "resilience", "tests"}
FILES = {".gitignore", "CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "constraints.txt", "pyproject.toml"}
HEAVY = (
    "geopandas",
    "pandas",
    "numba",
    "networkx",
    "osmnx",
    "rasterio",
    "scipy",
    "shapely",
    "pyogrio",
    "fiona",
)
# the brackets keep this file from holding what it looks for
ADDRESSES = re.compile(
    r"[p]ypi\.(org|io)|[p]ythonhosted|[r]egistry\.npmjs|--(extra-)?[i]ndex-url|[d]eb\.debian"
    r"|(?<![\w.])/[r]oot/|(?<![\w.])/[h]ome/|(?<![\w.])/[w]ork/"
)


def tracked() -> list[Path]:
    """List the files of the project: what git keeps, or would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone: the list of files is not known")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(chain.from_iterable((ROOT / package).rglob("*.py") for package in PACKAGES))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Give the (module, names) that a file imports, relative ones resolved."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            )
            yield ".".join(filter(None, (base, node.module))), [alias.name for alias in node.names]


def test_only_the_folders_and_files_agreed_on_stand_at_the_top() -> None:
    parts = [path.relative_to(ROOT).parts for path in tracked()]
    assert {part[0] for part in parts if len(part) > 1} <= FOLDERS
    assert {part[0] for part in parts if len(part) == 1} <= FILES


def test_gracethd_never_imports_resilience() -> None:
    wrong = [
        f"{dotted(path)} imports {name}"
        for path in modules()
        if dotted(path).split(".")[0] == "gracethd"
        for name, _ in imports(path)
        if name.split(".")[0] == "resilience"
    ]
    assert not wrong


def test_no_module_takes_a_private_name_of_another() -> None:
    wrong = [
        f"{dotted(path)} takes {name}.{taken}"
        for path in modules()
        for name, names in imports(path)
        for taken in names
        if name.split(".")[0] in PACKAGES and taken.startswith("_")
    ]
    assert not wrong


def test_no_module_is_a_drawer_for_everything() -> None:
    vague = re.compile(r"(utils?|helpers?|managers?|common|misc|tools)$")
    assert not [dotted(path) for path in modules() if vague.search(dotted(path).rpartition(".")[2])]


def public_definitions(
    path: Path,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) and not node.name.startswith("_"):
            yield f"{dotted(path)}.{node.name}", node
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{dotted(path)}.{node.name}.{inner.name}", inner


def test_every_module_and_public_name_says_what_it_gives() -> None:
    silent = [
        dotted(path)
        for path in modules()
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    silent += [
        name for path in modules() for name, node in public_definitions(path) if not ast.get_docstring(node)
    ]
    assert not silent


def test_every_public_function_is_annotated() -> None:
    def untyped(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        named = [a for a in arguments if a.arg not in {"self", "cls"}]
        return node.returns is None or any(a.annotation is None for a in named)

    wrong = [
        name
        for path in modules()
        for name, node in public_definitions(path)
        if not isinstance(node, ast.ClassDef) and untyped(node)
    ]
    assert not wrong


def test_every_finding_of_gracethd_is_a_documented_rule() -> None:
    """A rule is a row of gracethd/check/rules.csv, from which docs/rules.md is written."""
    with (ROOT / "gracethd" / "check" / "rules.csv").open(encoding="utf-8", newline="") as stream:
        known = {row["rule"] for row in csv.DictReader(stream)}
    wrong = [
        f"{dotted(path)}: {node.args[0].value}"
        for path in modules()
        if dotted(path).split(".")[0] == "gracethd"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"findings_frame", "report", "report_table", "tell"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value not in known
    ]
    assert not wrong


def test_library_code_does_not_print() -> None:
    wrong = [
        f"{dotted(path)}:{node.lineno}"
        for path in modules()
        if path.name != "cli.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong


def test_no_address_of_a_registry_and_no_private_path_is_written_down() -> None:
    texts = {".py", ".md", ".toml", ".txt", ".csv", ".html", ".js", ".css", ".ipynb", ".cfg", ""}
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in tracked()
        if path.suffix in texts
        for found in ADDRESSES.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not wrong


def test_only_the_scripts_of_ci_are_executable_and_no_file_is_a_link() -> None:
    executable = {
        path.relative_to(ROOT).as_posix() for path in tracked() if path.stat().st_mode & stat.S_IXUSR
    }
    assert executable == {".ci/run", ".ci/long"}
    assert not [path for path in tracked() if path.is_symlink()]


def test_the_example_stays_small() -> None:
    files = [path for path in tracked() if "exemple" in path.relative_to(ROOT).parts]
    assert sum(path.stat().st_size for path in files) < 8_000_000


@pytest.mark.parametrize("module", ["gracethd", "resilience", "gracethd.cli", "resilience.cli"])
def test_help_is_instant_because_nothing_heavy_is_imported(module: str) -> None:
    code = f"import sys, {module}; print(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == ""
