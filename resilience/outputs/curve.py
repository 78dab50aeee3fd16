"""The curve of prises behind single objects, by size of object, as inline SVG for the page."""

import math
from html import escape

import pandas as pd

from gracethd.outputs.labels import Language, column_label, phrase, written

WIDTH, HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 48, 26, 58
_INK, _LINE, _RULE = "#1f3a52", "#a8261f", "#d5dadf"


def threshold_curve(curve: pd.DataFrame, language: Language = "fr") -> str:
    """Draw the prises behind at least one unprotected object that cuts a threshold or more.

    Parameters
    ----------
    curve : DataFrame
        From `resilience.areas.behind_single_objects`: threshold (ascending, above 0), prises, share.
    language : {"fr", "en"}

    Returns
    -------
    str
        An ``svg`` element, thresholds on a logarithmic axis, shares of the traced prises from 0 to 100 %;
        empty where the curve has fewer than two points. Nothing in it comes from text of the data.

    Examples
    --------
    >>> points = pd.DataFrame({"threshold": [300, 1000], "prises": [40, 0], "share": [0.4, 0.0]})
    >>> threshold_curve(points).count("<circle")
    2
    """
    if len(curve) < 2:
        return ""
    low, high = (math.log10(value) for value in (curve["threshold"].min(), curve["threshold"].max()))
    inner, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    xs = [_LEFT + inner * (math.log10(t) - low) / (high - low) for t in curve["threshold"].tolist()]
    ys = [_TOP + tall * (1.0 - share) for share in curve["share"].tolist()]
    parts = [_rule(_TOP + tall * (1.0 - share), share, language) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    parts.append(f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="2.5"/>')
    for x, y, threshold, prises in zip(xs, ys, curve["threshold"], curve["prises"], strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_LINE}"/>')
        parts.append(_text(x + 5, y - 8, written(int(prises), "int", language), "start", _INK))
        parts.append(
            _text(x, HEIGHT - _BOTTOM + 18, written(int(threshold), "int", language), "middle", _INK)
        )
    title = phrase("title_curve", language)
    parts.append(_text(_LEFT + inner / 2, HEIGHT - 14, column_label("threshold", language), "middle", _INK))
    head = f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img"'
    return f'{head} aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _rule(y: float, share: float, language: Language) -> str:
    line = (
        f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_RULE}" '
        'stroke-width="1"/>'
    )
    return line + _text(_LEFT - 8, y + 4, written(share, "share", language), "end", "#4a5560")


def _text(x: float, y: float, text: str, anchor: str, fill: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" fill="{fill}">'
        f"{escape(text)}</text>"
    )
