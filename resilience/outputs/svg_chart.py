"""Marks of the page's charts, as inline SVG: a rule, a text, and what holds them. Text is escaped."""

from collections.abc import Sequence
from html import escape

WIDTH = 760
INK, LINE, RULE = "#1f3a52", "#a8261f", "#d5dadf"


def rule(x1: float, x2: float, y: float) -> str:
    """Draw a thin horizontal line."""
    return f'<line x1="{x1}" x2="{x2}" y1="{y:.1f}" y2="{y:.1f}" stroke="{RULE}" stroke-width="1"/>'


def text(x: float, y: float, words: str, anchor: str, *, size: int = 12, fill: str = INK) -> str:
    """Write words; `anchor` is start, middle or end."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">'
        f"{escape(words)}</text>"
    )


def line_through(xs: Sequence[float], ys: Sequence[float]) -> str:
    """Draw a curve through points."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="2.5"/>'


def chart(height: float, title: str, marks: Sequence[str]) -> str:
    """Put marks into one ``svg`` element, `WIDTH` wide, that a screen reader calls by its title."""
    head = f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img"'
    return f'{head} aria-label="{escape(title)}">{"".join(marks)}</svg>'
