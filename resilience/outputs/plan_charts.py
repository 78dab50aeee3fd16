"""Charts of the plan for the page, as inline SVG: what budgets leave, before and after, and criticité.

Nothing in them is markup of the data: text is escaped.
"""

import pandas as pd

from gracethd.outputs.labels import Language, column_label, phrase, value_label, written

from .svg_chart import INK, LINE, RULE, WIDTH, chart, line_through, rule, text

_BEFORE, _AFTER = "#b9c2ca", "#1f6f5c"
_SHADES = ("#f3f5f7", "#fff6cc", "#fbe3c0", "#f4c7c3")
"""Of criticité below 3, from 3 on, from 6 on, from 12 on."""
_MOST_CAUSES = 10


def frontier_curve(frontier: pd.DataFrame, budget_eur: float, language: Language = "fr") -> str:
    """Draw the loss that budgets leave, the study's own marked.

    Parameters
    ----------
    frontier : DataFrame
        From `resilience.choice.frontier`: budget_eur (ascending), loss_after.
    budget_eur : float
    language : {"fr", "en"}

    Returns
    -------
    str
        An ``svg`` element, both axes from 0; empty where the frontier has fewer than two budgets.
    """
    if len(frontier) < 2:
        return ""
    left, right, top, bottom, height = 84, 24, 20, 56, 300
    widest, highest = float(frontier["budget_eur"].max()), float(frontier["loss_after"].max())
    if not (widest > 0 and highest > 0):
        return ""
    inner, tall = WIDTH - left - right, height - top - bottom
    xs = [left + inner * value / widest for value in frontier["budget_eur"].tolist()]
    ys = [top + tall * (1 - value / highest) for value in frontier["loss_after"].tolist()]
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = top + tall * (1 - share)
        parts.append(rule(left, WIDTH - right, y))
        parts.append(text(left - 8, y + 4, written(round(highest * share), "int", language), "end"))
        x = left + inner * share
        anchor = "middle" if share < 1 else "end"
        parts.append(text(x, height - bottom + 18, written(round(widest * share), "eur", language), anchor))
    parts.append(line_through(xs, ys))
    for x, y, budget in zip(xs, ys, frontier["budget_eur"].tolist(), strict=True):
        own = budget == budget_eur
        dot = f'r="{7 if own else 3}" fill="{INK if own else LINE}"'
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" {dot}/>')
        if own:
            parts.append(text(x + 11, y - 8, phrase("chart_own_budget", language), "start"))
    parts.append(text(left + inner / 2, height - 12, column_label("budget_eur", language), "middle"))
    return chart(height, phrase("title_frontier", language), parts)


def before_and_after(causes: pd.DataFrame, language: Language = "fr") -> str:
    """Draw the annual loss of each cause without and with the plan, on one scale from 0.

    Parameters
    ----------
    causes : DataFrame
        ``Plan.causes``: the largest first; beyond ten they are drawn as one.
    language : {"fr", "en"}
    """
    if causes.empty:
        return ""
    columns = ["prises_h_per_year_before", "prises_h_per_year_after"]
    first = causes.head(_MOST_CAUSES)
    names = [value_label("cause", cause, language) for cause in first["cause"]]
    before, after = (first[name].astype(float).tolist() for name in columns)
    rows = list(zip(names, before, after, strict=True))
    if len(causes) > _MOST_CAUSES:
        rest = causes.iloc[_MOST_CAUSES:][columns].sum()
        rows.append((phrase("chart_others", language), float(rest.iloc[0]), float(rest.iloc[1])))
    widest = max((max(values) for _, *values in rows), default=0.0)
    if not widest > 0:
        return ""
    left, right, step = 230, 90, 44
    inner, parts = WIDTH - left - right, []
    for number, (name, *values) in enumerate(rows):
        y = 8 + number * step
        parts.append(text(left - 10, y + 20, name, "end"))
        for bar, (value, color) in enumerate(zip(values, (_BEFORE, _AFTER), strict=True)):
            top, long = y + 17 * bar, inner * value / widest
            parts.append(f'<rect x="{left}" y="{top}" width="{long:.1f}" height="15" fill="{color}"/>')
            parts.append(text(left + long + 6, top + 12, written(round(value), "int", language), "start"))
    height = 8 + len(rows) * step + 26
    for place, (key, color) in enumerate((("chart_before", _BEFORE), ("chart_after", _AFTER))):
        x = left + 150 * place
        parts.append(f'<rect x="{x}" y="{height - 24}" width="14" height="14" fill="{color}"/>')
        parts.append(text(x + 20, height - 12, phrase(key, language), "start"))
    return chart(height, phrase("title_before_after", language), parts)


def criticality_matrix(spof: pd.DataFrame, language: Language = "fr") -> str:
    """Draw how many listed objects have each gravité and vraisemblance, and the most prises that one cuts.

    Parameters
    ----------
    spof : DataFrame
        gravite, vraisemblance (1 to 4 or missing), prises_cut.
    language : {"fr", "en"}

    Returns
    -------
    str
        An ``svg`` element; empty where no object has both.
    """
    if not {"gravite", "vraisemblance"} <= set(spof.columns):
        return ""
    known = spof[spof["gravite"].notna() & spof["vraisemblance"].notna()]
    if known.empty:
        return ""
    cells = known.groupby([known["gravite"].astype(int), known["vraisemblance"].astype(int)])["prises_cut"]
    counts, most = cells.size().to_dict(), cells.max().to_dict()
    left, top, wide, high, parts = 190, 12, 130, 58, []
    for gravite in range(1, 5):
        y = top + (4 - gravite) * high
        parts.append(text(left - 10, y + 34, _class("gravite", gravite, language), "end"))
        for chance in range(1, 5):
            x, criticite = left + (chance - 1) * wide, gravite * chance
            shade = _SHADES[sum(criticite >= least for least in (3, 6, 12))]
            size = f'width="{wide - 3}" height="{high - 3}"'
            parts.append(f'<rect x="{x}" y="{y}" {size} fill="{shade}" stroke="{RULE}"/>')
            if (gravite, chance) in counts:
                number = written(int(counts[gravite, chance]), "int", language)
                prises = written(int(most[gravite, chance]), "int", language)
                parts.append(text(x + wide / 2, y + 26, number, "middle", size=18))
                words = phrase("chart_most_prises", language, n=prises)
                parts.append(text(x + wide / 2, y + 44, words, "middle", size=11))
    for chance in range(1, 5):
        words = _class("vraisemblance", chance, language)
        parts.append(text(left + (chance - 0.5) * wide, top + 4 * high + 18, words, "middle"))
    parts.append(text(left - 10, top + 4 * high + 38, column_label("gravite", language), "end", size=11))
    across = column_label("vraisemblance", language)
    parts.append(text(left + 2 * wide, top + 4 * high + 38, across, "middle", size=11))
    return chart(top + 4 * high + 48, phrase("title_matrix", language), parts)


def _class(name: str, value: int, language: Language) -> str:
    return f"{value} · {value_label(name, value, language)}"
