"""Faults put at random in any table of a delivery, each with what must be said of it.

A fault takes the tables (copies), a table and a way to draw, and gives the rules of which one at least must
name the object, and its code ("" where the whole table is meant). None: the table cannot have that fault.
"""

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.model import VERSIONS, attributes

Tables = dict[str, pd.DataFrame]
Draw = Callable[[int], int]
"""Of n, a number from 0 to n - 1."""
Expected = tuple[frozenset[str], str]
Fault = Callable[[Tables, str, Draw], Expected | None]

ANY: frozenset[str] = frozenset()
"""Whatever the rule: a lost table or row is told by what refers to it."""

MODEL = pd.concat([attributes(version) for version in VERSIONS]).drop_duplicates(["table", "attribute"])
KEYS = MODEL[MODEL["primary_key"] == "yes"].groupby("table")["attribute"].agg(list).to_dict()


def key_of(table: str) -> str | None:
    """Give the attribute that names a row on its own."""
    names = KEYS.get(table, [])
    return names[0] if len(names) == 1 else None


def some_row(tables: Tables, table: str, draw: Draw) -> tuple[int, str] | None:
    """Choose a row, and give its code."""
    key, frame = key_of(table), tables[table]
    if key is None or key not in frame or not len(frame):
        return None
    row = draw(len(frame))
    return row, str(frame[key].iloc[row])


def put(tables: Tables, table: str, row: int, name: str, value: object) -> None:
    values = tables[table][name].to_numpy(dtype=object).copy()
    values[row] = value
    tables[table] = tables[table].assign(**{name: pd.Series(values, index=tables[table].index, dtype="str")})


def no_table(tables: Tables, table: str, _draw: Draw) -> Expected | None:
    del tables[table]
    return ANY, ""


def no_row(tables: Tables, table: str, _draw: Draw) -> Expected | None:
    tables[table] = tables[table].iloc[:0]
    return ANY, ""


def half_the_rows(tables: Tables, table: str, _draw: Draw) -> Expected | None:
    tables[table] = tables[table].iloc[: len(tables[table]) // 2]
    return None


def no_key_column(tables: Tables, table: str, _draw: Draw) -> Expected | None:
    key = key_of(table)
    if key is None or key not in tables[table] or not len(tables[table]):
        return None
    tables[table] = tables[table].drop(columns=key)
    return frozenset({"cle_absente"}), ""


def no_key(tables: Tables, table: str, draw: Draw) -> Expected | None:
    if (found := some_row(tables, table, draw)) is None:
        return None
    put(tables, table, found[0], str(key_of(table)), None)
    return frozenset({"cle_vide"}), ""


def key_twice(tables: Tables, table: str, draw: Draw) -> Expected | None:
    if (found := some_row(tables, table, draw)) is None:
        return None
    frame = tables[table]
    tables[table] = pd.concat([frame, frame.iloc[[found[0]]].assign(line=len(frame) + 1)], ignore_index=True)
    return frozenset({"cle_double"}), found[1]


def one_key_for_all(tables: Tables, table: str, draw: Draw) -> Expected | None:
    if (found := some_row(tables, table, draw)) is None or len(tables[table]) < 2:
        return None
    tables[table] = tables[table].assign(**{str(key_of(table)): found[1]})
    return frozenset({"cle_double"}), found[1]


def wrong_type(tables: Tables, table: str, draw: Draw) -> Expected | None:
    kinds = MODEL[(MODEL["table"] == table) & MODEL["type"].isin(["INTEGER", "BOOLEAN", "DATE", "TIMESTAMP"])]
    names = [name for name in kinds["attribute"] if name in tables[table] and name not in KEYS.get(table, [])]
    if not names or (found := some_row(tables, table, draw)) is None:
        return None
    put(tables, table, found[0], names[draw(len(names))], "ni l'un ni l'autre")
    return frozenset({"type_nombre", "type_booleen", "type_date"}), found[1]


def nowhere(tables: Tables, table: str, draw: Draw) -> Expected | None:
    keys = MODEL[(MODEL["table"] == table) & (MODEL["foreign_key"] != "")]
    names = [name for name in keys["attribute"] if name in tables[table]]
    if not names or (found := some_row(tables, table, draw)) is None:
        return None
    name = names[draw(len(names))]
    put(tables, table, found[0], name, "NULLE PART")
    code = "" if name == key_of(table) else found[1]
    return frozenset({"cle_etrangere", "cle_etrangere_annexe", "table_referencee_absente"}), code


def in_shape(tables: Tables, table: str, draw: Draw, shape: object) -> int | None:
    """Give a row another shape."""
    frame = tables[table]
    if not isinstance(frame, gpd.GeoDataFrame) or not len(frame):
        return None
    row, shapes = draw(len(frame)), np.asarray(frame.geometry, dtype=object).copy()
    shapes[row] = shape
    tables[table] = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    return row


def no_shape(tables: Tables, table: str, draw: Draw) -> Expected | None:
    in_shape(tables, table, draw, None)
    return None  # told when files are read


def off_the_list(tables: Tables, table: str, draw: Draw) -> Expected | None:
    """Write a status that no list has: in every table of either version that has one."""
    names = [name for name in tables[table] if name.endswith("_statut")]
    if not names or (found := some_row(tables, table, draw)) is None:
        return None
    put(tables, table, found[0], names[0], "???")
    return frozenset({"hors_liste"}), found[1]


def columns_cut(tables: Tables, table: str, _draw: Draw) -> Expected | None:
    """Keep the first half of the columns, as a file that was cut by a tool does."""
    frame = tables[table]
    names = [name for name in frame if name not in ("line", "geometry")]
    if len(names) < 2:
        return None
    tables[table] = frame.drop(columns=names[len(names) // 2 :])
    return frozenset({"attribut_absent", "cle_absente"}), ""


def _shaped(value: shapely.Geometry, *rules: str) -> Fault:
    def fault(tables: Tables, table: str, draw: Draw) -> Expected | None:
        row = in_shape(tables, table, draw, value)
        key = key_of(table)
        if row is None or key is None or key not in tables[table]:
            return None
        return frozenset(rules), str(tables[table][key].iloc[row])

    return fault


def loop_cable(tables: Tables, _table: str, draw: Draw) -> Expected | None:
    """Bring both ends of a cable that is drawn to one node."""
    if "t_cable" not in tables or "cb_nd1" not in tables["t_cable"]:
        return None
    cables = np.flatnonzero((tables["t_cable"]["cb_typephy"] == "C") & tables["t_cable"]["cb_nd1"].notna())
    if not len(cables):
        return None
    row = int(cables[draw(len(cables))])
    put(tables, "t_cable", row, "cb_nd2", tables["t_cable"]["cb_nd1"].iloc[row])
    return ANY, str(tables["t_cable"]["cb_code"].iloc[row])


def splice_ring(tables: Tables, _table: str, draw: Draw) -> Expected | None:
    """Splice three fibres in a ring, one of them spliced elsewhere already."""
    if "t_position" not in tables or len(tables["t_position"]) < 3:
        return None
    frame = tables["t_position"]
    spliced = frame.index[frame["ps_1"].notna() & frame["ps_2"].notna()]
    if len(spliced) < 3:
        return None
    start = draw(len(spliced) - 2)
    rows = frame.loc[spliced[start : start + 3]]
    fibres = rows["ps_1"].tolist()
    ring = rows.assign(
        ps_code=[f"RING{i}" for i in range(3)], ps_1=fibres, ps_2=[*fibres[1:], fibres[0]],
        line=range(len(frame) + 1, len(frame) + 4),
    )  # fmt: skip
    tables["t_position"] = pd.concat([frame, ring], ignore_index=True)
    return frozenset({"fibre_positions"}), fibres[0]


def long_text(tables: Tables, table: str, draw: Draw) -> Expected | None:
    texts = MODEL[(MODEL["table"] == table) & (MODEL["type"] == "VARCHAR") & (MODEL["foreign_key"] == "")]
    names = [name for name in texts["attribute"] if name in tables[table] and name not in KEYS.get(table, [])]
    names = [name for name in names if not texts.set_index("attribute").loc[name, "value_list"]]
    if not names or (found := some_row(tables, table, draw)) is None:
        return None
    put(tables, table, found[0], names[draw(len(names))], "=" * 100_000)
    return frozenset({"longueur"}), found[1]


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
