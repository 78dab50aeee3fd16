"""What stands around the code: one version, a licence, commands that exist, pages that follow the tables."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        return tomllib.load(stream)


def readme_command(name: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)\n```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("name", ["main", "tests"])
def test_the_readme_sets_everything_up_in_one_line(name: str) -> None:
    command = readme_command(name)
    assert "\n" not in command
    assert "-c constraints.txt" in command
    assert "sudo" not in command


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command main" in script
    assert "readme_command tests" in script
    for name in ("run", "long"):
        subprocess.run(["bash", "-n", str(ROOT / ".ci" / name)], check=True)


def test_the_test_command_runs_every_check() -> None:
    command = readme_command("tests")
    for check in ("ruff check", "ruff format --check", "mypy", "pytest"):
        assert check in command


@pytest.mark.parametrize("command", ["gracethd", "resilience"])
def test_both_commands_answer_help(command: str) -> None:
    script = Path(sys.executable).parent / command
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert command in done.stdout


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[;]", text)[0].lower() for text in requirements}


def imports_of(source: str, *, at_top: bool) -> set[str]:
    """Give the packages that a module imports, at its top alone or anywhere."""
    tree = ast.parse(source)
    nodes = tree.body if at_top else list(ast.walk(tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(("at_top", "extras"), [(True, []), (False, ["cluster", "images", "postgis"])])
def test_every_import_of_the_packages_is_a_declared_dependency(
    project: dict[str, object], extras: list[str], *, at_top: bool
) -> None:
    """What a module imports at its top is always installed; only a function may ask for an extra."""
    modules = [path for package in ("gracethd", "resilience") for path in (ROOT / package).rglob("*.py")]
    imported = set().union(*(imports_of(path.read_text(encoding="utf-8"), at_top=at_top) for path in modules))
    ours = {"gracethd", "resilience"} | set(sys.stdlib_module_names)
    meta = project["project"]
    assert isinstance(meta, dict)
    optional = [text for extra in extras for text in meta["optional-dependencies"][extra]]
    assert imported - ours <= names_of([*meta["dependencies"], *optional])


def test_the_constraints_pin_every_dependency(project: dict[str, object]) -> None:
    pinned = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    meta = project["project"]
    assert isinstance(meta, dict)
    optional = [text for extra in meta["optional-dependencies"].values() for text in extra]
    assert names_of([*meta["dependencies"], *optional]) <= pinned


def test_the_licence_of_what_is_inlined_in_the_report_is_kept() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "MapLibre contributors" in notice
    assert "Redistributions in binary form must reproduce" in notice
    assert "Licence Ouverte" in notice


def test_generated_pages_follow_the_tables_of_the_packages() -> None:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in module.pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"{name}: run docs/generate.py"


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken
