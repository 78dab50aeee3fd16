"""What the network is once it has been built."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import geopandas as gpd
import pandas as pd

from gracethd.network.fibres import Fibres
from gracethd.network.places import Places

Kind = Literal["cable", "cheminement", "conduite", "ebp", "local", "noeud", "ptech", "site"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Layer = Literal["collecte", "transport", "distribution"]
LAYERS: tuple[Layer, ...] = get_args(Layer)


@dataclass(frozen=True)
class Network:
    """Assets of an inventory and how they hold each other, before any route is traced.

    Attributes
    ----------
    assets : GeoDataFrame
        One row per asset, sorted by (kind, code), RangeIndex = asset number. Columns: kind, code, libelle,
        segment (collecte|transport|distribution|raccordement or ""), nature (local and site: NRO, PM or "";
        ebp: BPE, PBO or ""; ptech: chambre, appui, facade, immeuble or ""; else ""), typ_imp (cheminement:
        official l_implantation code "0".."9" or "" unknown; else ""), passage (v2 cm_passage or ""), capafo
        (float, fibres of a cable, NaN unknown), length_m (lines; else 0), use_source (identity|geometry|""),
        nd_code (place of a point asset or ""), delivery, geometry (Point, LineString, MultiLineString, None).
    lines : GeoDataFrame
        What water, diggers and wind meet along the way: one row per physical line, columns asset (row of
        the cheminement, or of the cable for the part of it that no way covers), typ_imp ("" = mounting
        unknown), passage, segment, length_m, geometry.
    ends : DataFrame
        One row per cable end: cable (cb_code), end (1|2), place (nd_code), ebp, room, source
        (box|code|geometry), is_premise.
    stops : DataFrame
        Where each cable stops, ends and openings in order along it (D9): cable (asset), stop (number,
        several rows where several boxes open it at one place), place, ebp, room (codes or NaN).
    sections : DataFrame
        One row per stretch of a cable between two stops, in one layer (D6): section, cable (asset), layer
        (collecte|transport|distribution), stop1, stop2, length_m (along the cable, NaN unknown).
    uses : DataFrame
        carrier, carried (asset numbers), section, source: the stretch `section` of the cable `carried` is
        out when `carrier` is.
    links : DataFrame
        a, b: assets linked by use for series (D10).
    findings : DataFrame
    places : Places, optional
    fibres : Fibres, optional
        Where equipment stands and what positions say, as building resolved them: tracing reads the same and
        need not resolve it twice. None for a network that was not built from an inventory.
    """

    assets: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    ends: pd.DataFrame
    stops: pd.DataFrame
    sections: pd.DataFrame
    uses: pd.DataFrame
    links: pd.DataFrame
    findings: pd.DataFrame = field(repr=False)
    places: Places | None = field(default=None, repr=False)
    fibres: Fibres | None = field(default=None, repr=False)
