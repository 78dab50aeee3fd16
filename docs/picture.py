"""Take the picture of the README from a written report: ``python docs/picture.py resultats/rapport.html``."""
# ruff: noqa: INP001 - a script beside the picture it takes, not a package

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).resolve().parent / "images" / "rapport.png"
HEIGHT_PX = 1660  # the key figures and the map
COLOURS = 256  # enough for a page of few colours, and half of the bytes
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def take(page_path: Path) -> None:
    """Open the page in the system's Chromium, wait for its map, and write the picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": HEIGHT_PX}, locale="fr-FR")
        page.goto(page_path.resolve().as_uri())
        page.wait_for_selector("html[data-ready='1']", state="attached", timeout=90_000)
        page.wait_for_timeout(1000)
        image = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    PICTURE.parent.mkdir(exist_ok=True)
    image.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
