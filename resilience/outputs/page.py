"""The page ``rapport.html``: one file that works without a network, for a committee and for those who dig in.

Everything is inside: text, tables, data and the map's code. A policy in the page forbids any request and any
script but its own (by their digests), so that nothing in the data can run or call home.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import jinja2

from gracethd.outputs.labels import phrase, phrases, written
from gracethd.outputs.publish import DIFFUSION, written_aside

from .chapters import chapters
from .page_map import map_failures, map_labels, map_layers
from .report import Report, key_figures, sentences, with_commune_names


def write_page(report: Report, path: Path) -> None:
    """Write the page, whole, owner only; equal reports give equal bytes.

    Parts that the report does not have are named in their chapter. Tables show their first 500 rows, the
    map its first 20,000 objects a layer, and the page says so.
    """
    with written_aside(path) as aside:
        aside.write_text(render_page(report), encoding="utf-8", newline="\n")


def render_page(report: Report) -> str:
    """Give the page as text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("resilience.outputs"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    report = with_commune_names(report)
    language = report.language
    library, library_css = maplibre_assets()
    script = _template_text("page.js")
    layers = map_layers(report)
    data = {
        "layers": layers, "labels": map_labels(report), "words": phrases(language),
        "failures": map_failures(report),
    }  # fmt: skip
    return environment.get_template("rapport.html.j2").render(
        report=report,
        words=phrases(language),
        diffusion=DIFFUSION,
        day=f"{report.day:%d/%m/%Y}" if language == "fr" else report.day.isoformat(),
        figures=[(f, written(f.value, f.how, language)) for f in key_figures(report)],
        sentences=sentences(report),
        chapters=chapters(report),
        has_map=bool(layers),
        map_notes=_map_notes(layers, report),
        policy=_policy([library, script]),
        library=library,
        library_css=library_css,
        style=_template_text("page.css"),
        script=script,
        licence=_template_text("maplibre-licence.txt"),
        data=packed(data),
    )


@cache
def maplibre_assets() -> tuple[str, str]:
    """Give the script and style sheet of MapLibre GL JS that the installed package `maplibre` ships.

    The package is looked up, not imported (importing it logs warnings). ``</script`` is escaped so that the
    script can stand in a page.

    Raises
    ------
    ModuleNotFoundError
        When the package is not installed.
    """
    spec = find_spec("maplibre")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "package maplibre is not installed - the page's map needs it: pip install maplibre"
        )
    folder = Path(spec.submodule_search_locations[0]) / "srcjs"
    script = (folder / "maplibre-gl.js").read_text(encoding="utf-8")
    sheet = (folder / "maplibre-gl.css").read_text(encoding="utf-8")
    # the source map is a file beside the original, which the page does not have
    script = script.replace("\r\n", "\n").replace("//# sourceMappingURL=maplibre-gl.js.map", "")
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--"), sheet.replace(
        "</style", "<\\/style"
    )


def packed(value: object) -> str:
    """Give a value as JSON, gzipped without a date, in base64: nothing of it can be taken for markup."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_number)
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode("ascii")


def _number(value: object) -> object:
    return value.item() if hasattr(value, "item") else str(value)


def _policy(scripts: Sequence[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "worker-src blob:; connect-src blob: data:; base-uri 'none'; form-action 'none'"
    )


def _template_text(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _map_notes(layers: Sequence[dict[str, object]], report: Report) -> list[str]:
    notes = []
    for layer in layers:
        shown, total = len(layer["features"]), layer["total"]  # type: ignore[arg-type]
        if shown != total:
            counts = {
                "shown": written(shown, "int", report.language),
                "total": written(total, "int", report.language),
            }
            notes.append(phrase("map_truncated", report.language, layer=layer["title"], **counts))
    return notes
