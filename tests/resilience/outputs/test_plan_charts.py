"""Charts of the plan: positions, numbers and words, by hand."""

import re
import xml.etree.ElementTree as ET

import pandas as pd

from resilience.outputs.plan_charts import before_and_after, criticality_matrix, frontier_curve


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter() if node.tag.endswith("text")]


def test_the_frontier_falls_from_today_s_loss_and_marks_the_study_s_budget() -> None:
    frontier = pd.DataFrame({"budget_eur": [0.0, 100.0, 200.0], "loss_after": [80.0, 20.0, 0.0]})
    svg = frontier_curve(frontier, 100.0)
    circles = re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="(\d)"', svg)
    left, inner, top, tall = 84, 760 - 84 - 24, 20, 300 - 20 - 56
    assert [(float(x), float(y)) for x, y, _ in circles] == [
        (left, top), (left + inner / 2, top + tall * 0.75), (left + inner, top + tall)
    ]  # fmt: skip
    assert [r for _, _, r in circles] == ["3", "7", "3"]
    assert "budget de l'étude" in texts(svg)
    assert {"80", "60", "40", "20", "0", "200"} <= set(texts(svg))
    assert frontier_curve(frontier.iloc[:1], 0.0) == ""


def test_bars_stand_on_one_scale_and_small_causes_are_drawn_as_one() -> None:
    causes = pd.DataFrame(
        {
            "cause": ["nro_fire", *(f"<aléa {i}>" for i in range(11))],
            "prises_h_per_year_before": [100.0, *[10.0] * 11],
            "prises_h_per_year_after": [50.0, *[10.0] * 11],
        }
    )
    svg = before_and_after(causes)
    widths = [float(w) for w in re.findall(r'width="([\d.]+)" height="15"', svg)]
    assert widths[:2] == [440.0, 220.0]
    assert len(widths) == 2 * 11  # ten causes, and two as one
    assert widths[-2:] == [88.0, 88.0]
    assert {"Incendie de NRO", "autres causes", "<aléa 0>"} <= set(texts(svg))
    assert before_and_after(causes.iloc[:0]) == ""


def test_the_matrix_counts_objects_and_tells_the_most_that_one_cuts() -> None:
    spof = pd.DataFrame(
        {
            "gravite": pd.array([4, 4, 1, None], "Int64"),
            "vraisemblance": pd.array([2, 2, 1, 3], "Int64"),
            "prises_cut": [900, 1200, 5, 7],
        }
    )
    svg = criticality_matrix(spof)
    words = texts(svg)
    assert words.count("2") == 1
    assert "jusqu'à 1\u202f200 prises" in words
    assert words.count("1") == 1
    assert "jusqu'à 5 prises" in words
    assert "4 · Critique" in words
    assert "2 · Significative" in words
    assert svg.count("#fbe3c0") == 5  # criticité 6 to 11: 2 x 3, 3 x 2, 2 x 4, 4 x 2 and 3 x 3
    assert criticality_matrix(spof[["prises_cut"]]) == ""
