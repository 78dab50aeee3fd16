"""The pages of the documentation: their studies can be written, and every page is reachable."""

import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from resilience.study import KEYS
from resilience.study_hazards import KEYS as HAZARD_KEYS
from resilience.study_schema import study_schema

DOCS = Path(__file__).resolve().parent.parent / "docs"
if not DOCS.is_dir():
    pytest.skip("docs/ is not in this source distribution", allow_module_level=True)

PAGES = sorted(DOCS.rglob("*.md"))
_BLOCK = re.compile(r"^( *)```toml\n(.*?)^\1```$", flags=re.DOTALL | re.MULTILINE)


def examples() -> list[tuple[str, str]]:
    """Give the TOML of each page, without the blanks of a list around it."""
    return [
        (f"{page.relative_to(DOCS)}:{page.read_text(encoding='utf-8').count(chr(10), 0, found.start()) + 1}",
         re.sub(rf"(?m)^{found[1]}", "", found[2]))
        for page in PAGES
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]  # fmt: skip


@pytest.mark.parametrize(("where", "text"), examples(), ids=[where for where, _ in examples()])
def test_examples_of_studies_are_sound(where: str, text: str) -> None:
    study = tomllib.loads(text)
    if set(study) <= set(HAZARD_KEYS):  # what goes into one hazard
        whole = {"name": "x", "kind": "flood_depth", "unit": "m", "coverage": "valid"}
        study = {"hazards": [whole | study]}
    if not set(study) <= set(KEYS):
        pytest.skip(f"{where} is no part of a study")
    judge = jsonschema.Draft202012Validator(study_schema())
    assert [wrong.message for wrong in judge.iter_errors({"inventory": ["x"], **study})] == []


def test_every_page_is_in_the_contents() -> None:
    listed = set(
        re.findall(r"^([a-z0-9-]+(?:/[a-z0-9-]+)?)$", (DOCS / "index.md").read_text("utf-8"), re.MULTILINE)
    )
    there = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES} - {"index"}
    assert there == listed


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+\.md)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
