"""The curve of prises behind single objects, by size of object, as inline SVG for the page."""

import math

import pandas as pd

from gracethd.outputs.labels import Language, column_label, phrase, written

from .svg_chart import LINE, WIDTH, chart, line_through, rule, text

HEIGHT = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 48, 26, 58
_SOFT = "#4a5560"


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
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _TOP + tall * (1.0 - share)
        parts.append(rule(_LEFT, WIDTH - _RIGHT, y))
        parts.append(text(_LEFT - 8, y + 4, written(share, "share", language), "end", fill=_SOFT))
    parts.append(line_through(xs, ys))
    for x, y, threshold, prises in zip(xs, ys, curve["threshold"], curve["prises"], strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{LINE}"/>')
        parts.append(text(x + 5, y - 8, written(int(prises), "int", language), "start"))
        parts.append(text(x, HEIGHT - _BOTTOM + 18, written(int(threshold), "int", language), "middle"))
    parts.append(text(_LEFT + inner / 2, HEIGHT - 14, column_label("threshold", language), "middle"))
    return chart(HEIGHT, phrase("title_curve", language), parts)
