"""Faults put at random in any table of a delivery, each with what must be said of it.

A fault takes the tables of a sound delivery (copies), a table and a way to draw, and gives what must be told.
None: the table cannot have that fault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.model import VERSIONS, Version, attributes, value_lists

Tables = dict[str, pd.DataFrame]
Draw = Callable[[int], int]
"""Of n, a number from 0 to n - 1."""


@dataclass(frozen=True)
class Told:
    """What must be said of a fault.

    Attributes
    ----------
    rules : frozenset of str
        One of these at least; none where the fault need only be survived.
    table : str
        Of the finding, as delivered.
    code : str
        Of the object; "" where the whole table, or a row without a code, is meant.
    line : int
        Of the row, 0 where its code is enough.
    """

    rules: frozenset[str]
    table: str = ""
    code: str = ""
    line: int = 0


Fault = Callable[[Tables, str, Draw], Told | None]

SURVIVED = Told(frozenset())
"""No crash, sums that hold, and nothing more: each fault that gives it says why."""

MODEL = pd.concat([attributes(version) for version in VERSIONS]).drop_duplicates(["table", "attribute"])
KEYS = MODEL[MODEL["primary_key"] == "yes"].groupby("table")["attribute"].agg(list).to_dict()
RELEASES: dict[bool, tuple[Version, Version]] = {True: ("2.0.1", "2.0.2"), False: ("3.1", "3.0.1")}
"""Of version 2 or not: the release that asks for the fewest attributes, and the one that knows the most."""
FOREIGN = frozenset({"cle_etrangere", "cle_etrangere_annexe"})
NOT_CARRIED = frozenset({
    "cheminement_par_geometrie", "cable_sans_cheminement", "bout_sans_cheminement", "chaine_interrompue",
    "chaine_incomplete",
})  # fmt: skip
"""What is said of a cable of which a link to a way or a conduit is lost."""
WORDS = "ni l'un ni l'autre"
NOWHERE = "NULLE PART"


def is_version_2(tables: Tables) -> bool:
    return not {"t_suf", "t_sitetech", "t_ltech"}.isdisjoint(tables)


def model_of(tables: Tables, table: str, *, least: bool = False) -> pd.DataFrame:
    """Give the attributes of a table, geometry left out, in the widest release or that which asks least."""
    return _model(RELEASES[is_version_2(tables)][not least], table)


@cache
def _model(release: Version, table: str) -> pd.DataFrame:
    rows = attributes(release)
    return rows[(rows["table"] == table) & (rows["geometry_type"] == "")]


def key_of(table: str) -> str | None:
    """Give the attribute that names a row on its own."""
    names = KEYS.get(table, [])
    return names[0] if len(names) == 1 else None


def code_of(tables: Tables, table: str, row: int) -> str:
    """Give the code by which a row is told: its keys."""
    values = [tables[table][name].iloc[row] for name in KEYS.get(table, []) if name in tables[table]]
    return "/".join("" if pd.isna(value) else str(value) for value in values)


def some_row(tables: Tables, table: str, draw: Draw) -> tuple[int, str] | None:
    """Choose a row of a table whose rows are named by one key, and give its code."""
    key, frame = key_of(table), tables[table]
    if key is None or key not in frame or not len(frame):
        return None
    row = draw(len(frame))
    return row, str(frame[key].iloc[row])


def put(tables: Tables, table: str, row: int, name: str, value: object) -> None:
    values = tables[table][name].to_numpy(dtype=object).copy()
    values[row] = value
    tables[table] = tables[table].assign(**{name: pd.Series(values, index=tables[table].index, dtype="str")})


def no_table(tables: Tables, table: str, _draw: Draw) -> Told | None:
    before = dict(tables)
    del tables[table]
    return lost(before, tables, table) if len(before[table]) else None


def no_row(tables: Tables, table: str, _draw: Draw) -> Told | None:
    return _rows_kept(tables, table, 0)


def half_the_rows(tables: Tables, table: str, _draw: Draw) -> Told | None:
    return _rows_kept(tables, table, len(tables[table]) // 2)


def _rows_kept(tables: Tables, table: str, kept: int) -> Told | None:
    before = dict(tables)
    tables[table] = tables[table].iloc[:kept]
    return lost(before, tables, table) if len(before[table]) > kept else None


def lost(before: Tables, tables: Tables, table: str) -> Told:
    """Give what must be said of rows that a table has no more: by what refers to them, else what misses them.

    A row that nothing refers to and without which its delivery is as sound as one of a lower level of use
    (a splice, the box of a zone or of a cable, an address that no premise names) need only be survived.
    """
    kept = len(tables[table]) if table in tables else 0
    gone = before[table].iloc[kept:]
    key = key_of(table)
    if key is not None:
        for other, name in _referring(tables, table, key):
            rows = np.flatnonzero(tables[other][name].isin(gone[key]))
            if len(rows):
                return Told(FOREIGN, other, code_of(tables, other, int(rows[0])))
    if table == "t_cableline":
        return Told(frozenset({"cable_sans_ligne"}), "t_cable", str(gone["cl_cb_code"].iloc[0]))
    if table in ("t_cab_cond", "t_cab_chem"):
        return Told(NOT_CARRIED, "t_cable", str(gone["cc_cb_code"].iloc[0]))
    if table == "t_cond_chem":
        links = before["t_cab_cond"]
        carried = links.loc[links["cc_cd_code"].isin(gone["dm_cd_code"]), "cc_cb_code"]
        return Told(NOT_CARRIED, "t_cable", str(carried.iloc[0])) if len(carried) else SURVIVED
    address = address_of_premises(before, table, gone)
    if len(address):
        return Told(frozenset({"prise_non_tracee_adresse_sans_ligne"}), "t_adresse", str(address.iloc[0]))
    return SURVIVED


def _referring(tables: Tables, table: str, key: str) -> list[tuple[str, str]]:
    """Give the tables and attributes that refer to the key of a table."""
    found = []
    for other in sorted(set(tables) - {table}):
        model = model_of(tables, other)
        names = model.loc[model["foreign_key"] == f"{table}.{key}", "attribute"]
        found += [(other, str(name)) for name in names if name in tables[other]]
    return found


def address_of_premises(before: Tables, table: str, rows: pd.DataFrame) -> pd.Series:
    """Give the addresses that announce premises, of the rows that are some."""
    if table == "t_suf":
        return rows.loc[rows["sf_type"].isin(list("RPEU")), "sf_ad_code"].dropna()
    if table == "t_local":
        homes = rows.loc[rows["lc_typelog"].isin(["RES", "PRO", "ENT", "PUB", "FTTH"]), "lc_st_code"]
        return homes.map(before["t_site"].set_index("st_code")["st_ad_code"]).dropna()
    return pd.Series(dtype=str)


def no_key_column(tables: Tables, table: str, _draw: Draw) -> Told | None:
    key = key_of(table)
    if key is None or key not in tables[table] or not len(tables[table]):
        return None
    tables[table] = tables[table].drop(columns=key)
    return Told(frozenset({"cle_absente"}), table)


def no_key(tables: Tables, table: str, draw: Draw) -> Told | None:
    if (found := some_row(tables, table, draw)) is None:
        return None
    put(tables, table, found[0], str(key_of(table)), None)
    return Told(frozenset({"cle_vide"}), table, line=int(tables[table]["line"].iloc[found[0]]))


def key_twice(tables: Tables, table: str, draw: Draw) -> Told | None:
    if (found := some_row(tables, table, draw)) is None:
        return None
    frame, line = tables[table], len(tables[table]) + 1
    tables[table] = pd.concat([frame, frame.iloc[[found[0]]].assign(line=line)], ignore_index=True)
    return Told(frozenset({"cle_double"}), table, found[1], line)


def one_key_for_all(tables: Tables, table: str, draw: Draw) -> Told | None:
    if (found := some_row(tables, table, draw)) is None or len(tables[table]) < 2:
        return None
    tables[table] = tables[table].assign(**{str(key_of(table)): found[1]})
    return Told(frozenset({"cle_double"}), table, found[1])


def _some_attribute(tables: Tables, table: str, draw: Draw, wanted: pd.Series) -> tuple[int, str] | None:
    """Choose a row, and one of the attributes wanted that the table has and that is no key of it."""
    names = model_of(tables, table).loc[wanted, "attribute"]
    names = [str(name) for name in names if name in tables[table] and name not in KEYS.get(table, [])]
    if not names or not len(tables[table]):
        return None
    return draw(len(tables[table])), names[draw(len(names))]


def _put_some(
    tables: Tables, table: str, draw: Draw, wanted: pd.Series, value: str, *rules: str
) -> Told | None:
    if (chosen := _some_attribute(tables, table, draw, wanted)) is None:
        return None
    put(tables, table, *chosen, value)
    return Told(frozenset(rules), table, code_of(tables, table, chosen[0]))


def wrong_type(tables: Tables, table: str, draw: Draw) -> Told | None:
    model = model_of(tables, table)
    wanted = model["type"].isin(["INTEGER", "BIGINT", "NUMERIC", "BOOLEAN", "DATE", "TIMESTAMP"])
    return _put_some(tables, table, draw, wanted, WORDS, "type_nombre", "type_booleen", "type_date")


def long_text(tables: Tables, table: str, draw: Draw) -> Told | None:
    model = model_of(tables, table)
    wanted = (model["type"] == "VARCHAR") & (model["length"] != "") & (model["foreign_key"] == "")
    return _put_some(tables, table, draw, wanted & (model["value_list"] == ""), "=" * 100_000, "longueur")


def off_the_list(tables: Tables, table: str, draw: Draw) -> Told | None:
    """Write what no list has, in an attribute whose list is published and that no release has dropped."""
    model, least = model_of(tables, table), model_of(tables, table, least=True)
    published = pd.concat([value_lists(release) for release in RELEASES[is_version_2(tables)]])["list"]
    wanted = model["value_list"].isin(published) & model["attribute"].isin(least["attribute"])
    return _put_some(tables, table, draw, wanted, "???", "hors_liste")


def nowhere(tables: Tables, table: str, draw: Draw) -> Told | None:
    """Refer to what is nowhere, in an attribute, key or not, that refers to a table of the delivery."""
    model = model_of(tables, table)
    names = model.loc[model["foreign_key"].str.split(".").str[0].isin(list(tables)), "attribute"]
    names = [str(name) for name in names if name in tables[table]]
    if not names or not len(tables[table]):
        return None
    row = draw(len(tables[table]))
    put(tables, table, row, names[draw(len(names))], NOWHERE)
    return Told(FOREIGN, table, code_of(tables, table, row))


def columns_cut(tables: Tables, table: str, _draw: Draw) -> Told | None:
    """Keep the first half of the columns, as a file cut by a tool does, one that is asked for being lost."""
    frame = tables[table]
    names = [str(name) for name in frame if name not in ("line", "geometry")]
    gone = names[len(names) // 2 :]
    if len(names) < 2 or not set(gone) & set(model_of(tables, table, least=True)["attribute"]):
        return None
    tables[table] = frame.drop(columns=gone)
    return Told(frozenset({"attribut_absent", "cle_absente"}), table)


def in_shape(tables: Tables, table: str, draw: Draw, shape: object) -> int | None:
    """Give a row another shape."""
    frame = tables[table]
    if not isinstance(frame, gpd.GeoDataFrame) or not len(frame):
        return None
    row, shapes = draw(len(frame)), np.asarray(frame.geometry, dtype=object).copy()
    shapes[row] = shape
    tables[table] = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    return row


def no_shape(tables: Tables, table: str, draw: Draw) -> Told | None:
    """Take a shape away: told when files are read, so that of tables already read only cables miss theirs."""
    row = in_shape(tables, table, draw, None)
    if row is None:
        return None
    if table == "t_cableline":
        cable = str(tables[table]["cl_cb_code"].iloc[row])
        return Told(frozenset({"cable_sans_ligne"}), "t_cable", cable)
    return SURVIVED


def _shaped(value: shapely.Geometry, *rules: str) -> Fault:
    def fault(tables: Tables, table: str, draw: Draw) -> Told | None:
        row = in_shape(tables, table, draw, value)
        return None if row is None else Told(frozenset(rules), table, code_of(tables, table, row))

    return fault


def loop_cable(tables: Tables, _table: str, draw: Draw) -> Told | None:
    """Bring both ends of a drawn cable to one node: a loop, or an end that its box or drawing contradicts."""
    if "t_cable" not in tables or "cb_nd1" not in tables["t_cable"]:
        return None
    frame = tables["t_cable"]
    apart = frame["cb_nd1"].notna() & (frame["cb_nd1"] != frame["cb_nd2"])
    cables = np.flatnonzero((frame["cb_typephy"] == "C") & apart)
    if not len(cables):
        return None
    row = int(cables[draw(len(cables))])
    put(tables, "t_cable", row, "cb_nd2", frame["cb_nd1"].iloc[row])
    rules = frozenset({"cable_boucle", "cable_boite_declaree", "cable_noeud_declare"})
    return Told(rules, "t_cable", str(frame["cb_code"].iloc[row]))


def splice_ring(tables: Tables, _table: str, draw: Draw) -> Told | None:
    """Splice three fibres in a ring, each spliced elsewhere already and none to another of the three."""
    if "t_position" not in tables:
        return None
    frame = tables["t_position"]
    spliced = frame[frame["ps_1"].notna() & frame["ps_2"].notna()]
    first = spliced[~spliced["ps_1"].isin(spliced["ps_2"])].drop_duplicates("ps_1")
    if len(first) < 3:
        return None
    start = draw(len(first) - 2)
    rows = first.iloc[start : start + 3]
    fibres = rows["ps_1"].tolist()
    ring = rows.assign(
        ps_code=[f"RING{i}" for i in range(3)], ps_1=fibres, ps_2=[*fibres[1:], fibres[0]],
        line=range(len(frame) + 1, len(frame) + 4),
    )  # fmt: skip
    tables["t_position"] = pd.concat([frame, ring], ignore_index=True)
    return Told(frozenset({"fibre_positions"}), "t_fibre", fibres[0])


FAULTS: dict[str, Fault] = {
    "no_table": no_table,
    "no_row": no_row,
    "half_the_rows": half_the_rows,
    "no_key_column": no_key_column,
    "no_key": no_key,
    "key_twice": key_twice,
    "one_key_for_all": one_key_for_all,
    "wrong_type": wrong_type,
    "nowhere": nowhere,
    "no_shape": no_shape,
    "off_the_list": off_the_list,
    "columns_cut": columns_cut,
    "off_the_earth": _shaped(shapely.Point(1.5e7, 7e6), "coordonnees_absurdes", "geometrie_type"),
    "another_shape": _shaped(
        shapely.GeometryCollection([shapely.Point(650_000, 7_060_000)]), "geometrie_type"
    ),
    "loop_cable": loop_cable,
    "splice_ring": splice_ring,
    "long_text": long_text,
}
