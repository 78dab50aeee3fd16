"""What the rules on a network read, built once, and how they tell what they find."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gracethd.check.rules import RULES
from gracethd.findings import findings_frame, severity
from gracethd.inventory import Inventory
from gracethd.network import build_network
from gracethd.network.fibres import Fibres, read_fibres
from gracethd.network.places import Places, find_places
from gracethd.network.types import Network
from gracethd.routes import Routes, trace_routes


@dataclass(frozen=True)
class Built:
    """What the rules on a network read.

    Attributes
    ----------
    inventory : Inventory
    network : Network
    routes : Routes
    places : Places
    fibres : Fibres
    """

    inventory: Inventory
    network: Network
    routes: Routes
    places: Places
    fibres: Fibres


def build(inventory: Inventory) -> Built:
    """Build what the rules read from an inventory."""
    network = build_network(inventory)
    places = network.places or find_places(inventory)
    fibres = network.fibres or read_fibres(inventory, places)
    return Built(inventory, network, trace_routes(inventory, network), places, fibres)


def tell(
    rule: str,
    table: str,
    code: Sequence[str] | pd.Series | pd.Index,
    *,
    detail: str | pd.Series = "",
    attribute: str = "",
) -> pd.DataFrame:
    """Build findings of a rule on objects of an inventory table; details name codes and numbers only."""
    told, fr = severity(str(RULES.loc[rule, "severity"])), str(RULES.loc[rule, "fr"])
    if isinstance(detail, str):
        message: str | list[str] = f"{fr} : {detail}" if detail else fr
    else:
        message = [f"{fr} : {one}" for one in detail]
    return findings_frame(rule, told, table, attribute=attribute, code=code, message=message)
