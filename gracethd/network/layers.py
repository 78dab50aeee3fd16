"""Layers of cables: collecte, transport, distribution, and the drops that belong to distribution (D6)."""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from gracethd.codes import among, follow
from gracethd.findings import findings_frame
from gracethd.network.ends import side_by_side
from gracethd.network.fibres import Fibres
from gracethd.network.places import Places

LAYERS_OF_CODE: dict[str, tuple[str, ...]] = {
    "CO": ("collecte",),
    "BM": ("collecte",),
    "LH": ("collecte",),
    "TR": ("transport",),
    "DI": ("distribution",),
    "RA": ("raccordement",),
    "CX": ("collecte", "transport", "distribution"),
    "CT": ("collecte", "transport"),
    "CD": ("collecte", "distribution"),
    "TD": ("transport", "distribution"),
}
"""cb_typelog codes to layers; a metro ring (BM) and a long haul (LH) lie upstream of the NRO."""
UNDECIDED = ("transport", "distribution")


def cable_layers(
    cable: pd.DataFrame, ends: pd.DataFrame, places: Places, fibres: Fibres, way_codes: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell the layers of each cable by the first rule of D6 that answers.

    Parameters
    ----------
    cable : DataFrame
        Cables without patch cords: cb_code, cb_typelog.
    ends : DataFrame
        From `gracethd.network.ends.cable_ends`.
    places, fibres
    way_codes : Series
        cm_typelog by cb_code, where all the ways of the cable have the same unmixed code.

    Returns
    -------
    layers : DataFrame
        cable, layer (collecte|transport|distribution|raccordement), layer_source (premise|code|fibres|
        rooms|ways|position|undecided); a mixed cable has one row for each layer.
    findings : DataFrame
        Cables whose layer nothing tells: taken in transport and in distribution.
    """
    codes = pd.Index(cable["cb_code"])
    layer = pd.Series(pd.NA, index=codes, dtype=object)
    source = pd.Series("undecided", index=codes, dtype=str)

    def answer(found: pd.Series, name: str) -> None:
        new = found.reindex(codes)
        fill = layer.isna() & new.notna()
        layer[fill] = new[fill]
        source[fill] = name

    of_cable = ends[among(ends["cable"], codes)]
    to_premise = of_cable.groupby("cable")["is_premise"].any()
    answer(to_premise[to_premise].map(lambda _: "RA").astype(object), "premise")
    typelog = cable.set_index("cb_code")["cb_typelog"]
    answer(typelog[typelog.isin(list(LAYERS_OF_CODE))].astype(object), "code")
    answer(_by_fibres(of_cable, places, fibres), "fibres")
    answer(_by_rooms(of_cable, places), "rooms")
    answer(way_codes[way_codes.isin(["CO", "TR", "DI", "RA"])].astype(object), "ways")
    answer(_by_position(of_cable, places), "position")
    undecided = codes[layer.isna()]
    findings = findings_frame(
        "couche_inconnue", "majeur", "cable", attribute="cb_typelog", code=undecided,
        message="rien ne dit si ce câble est de transport ou de distribution : pris dans les deux",
    )  # fmt: skip
    each = {**LAYERS_OF_CODE, "": UNDECIDED}
    named = pd.DataFrame([(code, name) for code, names in each.items() for name in names], dtype=object)
    code = layer.where(layer.isin(list(LAYERS_OF_CODE)), "").to_numpy(object)
    table = pd.DataFrame({"cable": codes, "code": code, "layer_source": source.to_numpy()})
    table = table.merge(named.set_axis(["code", "layer"], axis=1), on="code", how="left")
    return table[["cable", "layer", "layer_source"]], findings


def _by_fibres(ends: pd.DataFrame, places: Places, fibres: Fibres) -> pd.Series:
    """Read the layer off the rooms and boxes that a cable's alignments reach, by a vote of its fibres.

    An alignment reaches the box at the end of its last cable even where no position there names the fibre.
    """
    nature = places.rooms.set_index("room")["nature"]
    contacts = fibres.contacts.assign(
        group=fibres.group[fibres.contacts["fibre"].to_numpy()],
        nature=follow(fibres.contacts["room"], nature),
    ).drop_duplicates(["group", "room"])
    n_groups = int(fibres.group.max()) + 1 if len(fibres.group) else 0
    counted = {
        name: np.bincount(contacts.loc[contacts["nature"] == name, "group"], minlength=n_groups)
        for name in ("NRO", "PM")
    }
    is_pbo = places.boxes.loc[places.boxes["nature"] == "PBO", "bp_code"]
    at_pbo = fibres.splices[among(fibres.splices["ebp"], is_pbo)]["fibre1"].to_numpy()
    waits_at_pbo = fibres.waiting[among(fibres.waiting["ebp"], is_pbo)]["fibre"].to_numpy()
    ends_at_pbo = np.flatnonzero(
        among(pd.Series(fibres.cable, dtype="str"), ends.loc[among(ends["ebp"], is_pbo), "cable"])
    )
    reaches_pbo = np.zeros(n_groups, bool)
    reaches_pbo[fibres.group[np.concatenate([at_pbo, waits_at_pbo, ends_at_pbo]).astype(np.intp)]] = True
    code = np.select(
        [
            (counted["NRO"] > 0) & (counted["PM"] > 0),
            counted["PM"] > 0,
            counted["NRO"] > 1,
            (counted["NRO"] == 1) & reaches_pbo,
        ],
        ["TR", "DI", "CO", "DI"],
        "",
    )
    votes = pd.DataFrame({"cable": fibres.cable, "code": code[fibres.group] if n_groups else []})
    votes = votes[(votes["code"] != "") & votes["cable"].notna()]
    tally = votes.groupby(["cable", "code"]).size().rename("n").reset_index()
    tally["order"] = tally["code"].map({"CO": 0, "TR": 1, "DI": 2})
    best = tally.sort_values(["cable", "n", "order"], ascending=[True, False, True]).drop_duplicates("cable")
    return best.set_index("cable")["code"].astype(object)


def _by_rooms(ends: pd.DataFrame, places: Places) -> pd.Series:
    """Read the layer of a cable that has a rack or a drawer at both ends."""
    nature = places.rooms.set_index("room")["nature"]
    at = side_by_side(ends.assign(nature=follow(ends["room"], nature)), "nature")
    pair = at[1].fillna("") + "-" + at[2].fillna("")
    code = pair.map({"NRO-PM": "TR", "PM-NRO": "TR", "NRO-NRO": "CO"})
    return code.dropna().astype(object)


def _by_position(ends: pd.DataFrame, places: Places) -> pd.Series:
    """Place a cable between NRO and PM, or beyond the PM: by what stays connected once PMs are taken out.

    A part with an NRO is upstream, one with a PM and no NRO is beyond it. A part with an NRO *and* a PBO
    tells nothing where it touches a PM (one chamber carries both layers), else it is distribution.
    """
    wide = side_by_side(ends, "place").dropna()
    if wide.empty:
        return pd.Series(dtype=object)
    codes, nodes = pd.factorize(pd.concat([wide[1], wide[2]]), sort=True)
    one, two = codes[: len(wide)], codes[len(wide) :]
    served = places.rooms.dropna(subset="nd_code")
    is_pm, is_nro = (nodes.isin(served.loc[served["nature"] == name, "nd_code"]) for name in ("PM", "NRO"))
    is_pbo = nodes.isin(places.boxes.loc[places.boxes["nature"] == "PBO", "nd_code"].dropna())
    is_open = ~is_pm[one] & ~is_pm[two]
    graph = sparse.coo_array(
        (np.ones(int(is_open.sum()), np.int8), (one[is_open], two[is_open])), shape=(len(nodes), len(nodes))
    )
    n_parts, part = connected_components(graph, directed=False)
    with_nro, with_pbo, by_pm = np.zeros((3, n_parts), bool)
    with_nro[part[is_nro & ~is_pm]] = True
    with_pbo[part[is_pbo & ~is_pm]] = True
    for near, far in ((one, two), (two, one)):
        by_pm[part[far[is_pm[near] & ~is_pm[far]]]] = True
    code = np.select(
        [with_nro & with_pbo & by_pm, with_nro & with_pbo, with_nro, by_pm], ["", "DI", "TR", "DI"], ""
    )
    at_free_end = pd.Series(code[part[np.where(is_pm[one], two, one)]], index=wide.index)
    return at_free_end[at_free_end != ""].astype(object)
