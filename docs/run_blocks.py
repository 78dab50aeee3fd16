"""Run the code blocks of pages as their readers would: ``python docs/run_blocks.py PAGE... `` from a clone.

Blocks of ``sh`` run one after the other in a folder of their own that shows ``.venv`` and ``data`` of the
clone, blocks of ``python`` in one session a page. The first that fails ends the run, with its page and line.
"""
# ruff: noqa: INP001 - a script beside the pages it runs, not a package

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^( *)```(sh|python)\n(.*?)^\1```$", flags=re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> Iterator[tuple[int, str, str]]:
    """Give line, language and text of each block that can be run."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[2], re.sub(rf"(?m)^{found[1]}", "", found[3])


def run(page: Path, folder: Path) -> int:
    """Run the blocks of a page; give how many."""
    session: dict[str, object] = {}
    found = list(blocks(page))
    for line, language, text in found:
        print(f"{page.name}:{line}", flush=True)
        if language == "sh":
            subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, check=True, timeout=600)
        else:
            exec(compile(text, f"{page.name}:{line}", "exec"), session)
    return len(found)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        for name in (".venv", "data"):
            (Path(work) / name).symlink_to(ROOT / name)
        ran = sum(run(Path(page), Path(work)) for page in sys.argv[1:])
    print(f"{ran} blocks ran")
