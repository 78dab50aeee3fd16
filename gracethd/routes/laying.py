"""The nominal and the physical graph of one network, laid side by side."""

from dataclasses import dataclass

import pandas as pd

from gracethd.codes import among
from gracethd.network.places import Places
from gracethd.routes.graph import GraphParts
from gracethd.routes.nominal import Joints, cable_graph
from gracethd.routes.physical import Hooks, place_graph
from gracethd.routes.survey import Survey


@dataclass(frozen=True)
class Graphs:
    """Both graphs while they are put together, and what stands where in them.

    Attributes
    ----------
    nominal : GraphParts
        With the splices of today: prises cut (D7).
    physical : GraphParts
        With what could be re-spliced and re-patched: prises stranded (D8).
    joints : Joints
        Vertices of the nominal graph.
    hooks : Hooks
        Vertices of the physical graph.
    """

    nominal: GraphParts
    physical: GraphParts
    joints: Joints
    hooks: Hooks


def lay_graphs(survey: Survey, places: Places, serving: pd.Series) -> Graphs:
    """Lay the cables of a network in both graphs.

    Parameters
    ----------
    survey : Survey
    places : Places
    serving : Series of bp_code
        PBO of each prise; repeated and missing codes are no matter.
    """
    pbos = places.boxes[among(places.boxes["bp_code"], serving.dropna())].sort_values("bp_code")
    nominal, physical = (GraphParts(survey.network, survey.nodes) for _ in range(2))
    hooks = place_graph(physical, survey, pbos)
    joints = cable_graph(nominal, survey, pd.Index(pbos["bp_code"]))
    return Graphs(nominal, physical, joints, hooks)
