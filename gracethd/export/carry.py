"""What is carried beside an inventory, as a version of GraceTHD says it.

Attributes keep their names from one version to the other but for rooms (``lt_`` in 2, ``lc_`` in 3) and
premises (``sf_``, ``lc_``), as in the public migration table (2.0.2 to 3.0, see NOTICE). What that table
calls computed and what every delivered row has (date, not abandoned) is filled where nothing is told.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from gracethd.carried import PROVENANCE, in_one_writing, settled
from gracethd.codes import follow
from gracethd.deliveries.write import WrittenVersion, converter
from gracethd.encoding import mapped
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.model import VERSIONS, Version, attributes, value_lists
from gracethd.normalise import TABLES
from gracethd.values import parse_number

Tables = Mapping[str, pd.DataFrame]

ROW = "row"
"""Column that follows each row through a migration: its number in the inventory, missing for rows made."""

_PREFIXES = {"local": ("lt_", "lc_"), "premise": ("sf_", "lc_")}
"""How attributes begin in version 2 and in version 3, where that differs."""
_NOT_TOLD = {"lt_etat": "NC", "fo_etat": "NC"}
"""Mandatory attributes whose list has a code for what is not told."""
_OF_NRA = ("NRA", "NRAHD", "NRAMED", "NRAZO")


class Attribute(NamedTuple):
    """Where a version holds an attribute, and what may stand there."""

    table: str
    name: str
    kind: str
    length: str
    value_list: str


def numbered(inventory: Inventory) -> Inventory:
    """Give an inventory whose tables have the column `ROW`."""
    tables = {
        name: table.assign(**{ROW: np.arange(len(table), dtype=float)}) for name, table in inventory.items()
    }
    return Inventory(tables, inventory.crs, inventory.deliveries, inventory.findings, inventory.carried)


@cache
def carried_homes(name: str, version: WrittenVersion) -> dict[str, Attribute]:
    """Give where a version holds the attributes that may be carried beside an inventory table, by name.

    Examples
    --------
    >>> carried_homes("cable", "3.0.1")["cl_long"].table
    't_cableline'
    """
    sources = [*TABLES[name].sources] if name in TABLES else [name]
    if name == "premise" and version == "3.0.1":
        sources = ["t_local"]
    if name == "cable":
        sources.append("t_cableline")
    model = attributes(version)
    found: dict[str, Attribute] = {}
    for table in [one for source in sources for one in (source, f"{source}_patch201")]:
        rows = model[(model["table"] == table) & (model["geometry_type"] == "")]
        for row in rows[["table", "attribute", "type", "length", "value_list"]].itertuples(index=False):
            found.setdefault(str(row[1]), Attribute(*map(str, row)))
    return found


def carried_as(
    inventory: Inventory, tables: Tables, version: WrittenVersion, taken: Mapping[str, frozenset[str]]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Give what is carried beside migrated tables, and what of it a version cannot hold.

    Parameters
    ----------
    inventory : Inventory
        Before its migration.
    tables : mapping of str to DataFrame
        Migrated, with the column `ROW`.
    version : {"2.0.1", "3.0.1"}
    taken : mapping of str to frozenset of str
        Attributes that the columns of each table already tell, by its name.

    Returns
    -------
    carried : dict of str to DataFrame
        As `gracethd.carried.settled` gives it.
    findings : DataFrame
        ``export_perdu`` and ``export_hors_liste``, one line an attribute, with the number of values.
    """
    carried: dict[str, pd.DataFrame] = {}
    found = []
    for name, table in tables.items():
        given = inventory.carried.get(name, pd.DataFrame(index=range(len(inventory[name]))))
        beside = _renamed(name, given, version).reindex(table[ROW]).set_axis(table.index)
        beside = beside.drop(columns=[column for column in beside if column in taken[name]])
        held, findings = _held(name, beside, version)
        found.append(findings)
        carried[name] = _completed(name, held, table, inventory, version)
    for name, rows in inventory.carried.items():
        if name in TABLES:
            continue
        if not carried_homes(name, version):
            found.append(_lost(name, "", len(rows), f"lignes d'une table absente de {version}"))
            continue
        told = [column for column in rows.columns if column not in (*PROVENANCE, "geometry")]
        held, findings = _held(name, pd.DataFrame(rows[told]), version)
        found.append(findings)
        carried[name] = _with_own_places(rows.drop(columns=told), held)
    return settled(carried), merge_findings(found)


def _with_own_places(rows: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    whole = pd.concat([held, pd.DataFrame(rows)], axis=1)
    return gpd.GeoDataFrame(whole, crs=rows.crs) if isinstance(rows, gpd.GeoDataFrame) else whole


def _renamed(name: str, given: pd.DataFrame, version: WrittenVersion) -> pd.DataFrame:
    """Give attributes the name that the version has for them; where both names are told, its own."""
    old, new = _PREFIXES.get(name, ("", ""))
    if version == "2.0.1":
        old, new = new, old
    homes = carried_homes(name, version)
    names = {
        column: new + column.removeprefix(old)
        for column in map(str, given.columns)
        if old and column.startswith(old) and new + column.removeprefix(old) in homes
    }
    told = given.drop(columns=list(names))
    for column, wanted in names.items():
        values = given[column]
        if wanted in told:
            values = told[wanted].astype("str").fillna(values.astype("str"))
        told = told.assign(**{wanted: values})
    return told


def _held(name: str, beside: pd.DataFrame, version: WrittenVersion) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep what the version can hold: attributes that it has, values of their type and lists."""
    homes, columns, found = carried_homes(name, version), {}, []
    for column in map(str, beside.columns):
        values, n = _coded(beside[column])
        if column not in homes:
            found.append(_lost(name, column, int(n.sum()), f"valeurs sans attribut en {version}"))
            continue
        words = pd.Series(values.cat.categories, dtype=str)
        of_type = _of_type(words, homes[column], version)
        listed, strange = _of_list(of_type, homes[column], version)
        found += [
            _lost(name, column, _count(n, of_type.isna()), f"valeurs qui ne sont pas {homes[column].kind}"),
            _lost(
                name, column, _count(n, of_type.notna() & listed.isna()), f"valeurs sans code en {version}"
            ),
            _told(
                "export_hors_liste", name, column, _count(n, strange),
                f"valeurs hors des listes de {version} : écrites telles quelles",
            ),
        ]  # fmt: skip
        if listed.notna().any():
            held = in_one_writing(column, listed).astype("str")
            columns[column] = mapped(values, _instead(pa.array(held, pa.large_string(), from_pandas=True)))
    return pd.DataFrame(columns, index=beside.index), merge_findings(found)


def _instead(words: pa.Array) -> Callable[[pa.Array], pa.Array]:
    return lambda _: words


def _coded(values: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Give a column encoded, and how often each of its words stands there."""
    coded = mapped(values)
    codes = coded.cat.codes.to_numpy()
    return coded, np.bincount(codes[codes >= 0], minlength=len(coded.cat.categories))


def _count(n: np.ndarray, where: pd.Series) -> int:
    return int(n[where.to_numpy(dtype=bool)].sum())


def _of_type(words: pd.Series, home: Attribute, version: WrittenVersion) -> pd.Series:
    if home.kind == "VARCHAR":
        return words  # what is too long is an error when it is written: nothing is cut
    convert = converter(home.kind, home.length, version)
    return pd.Series([convert(word) for word in words], words.index, dtype=str)


def _of_list(words: pd.Series, home: Attribute, version: WrittenVersion) -> tuple[pd.Series, pd.Series]:
    """Give the words that the list of an attribute holds or that no version knows, and which these are."""
    known = _lists(version).get(home.value_list, frozenset())
    if not known or home.value_list == "l_bool":  # yes and no are written as the version writes them
        return words, pd.Series(data=False, index=words.index)
    listed = words.isin(known)
    elsewhere = words.isin(_codes_anywhere().get(home.name, frozenset()))
    return words.where(listed | ~elsewhere), words.notna() & ~listed & ~elsewhere


@cache
def _lists(version: Version) -> dict[str, frozenset[str]]:
    lists = value_lists(version)
    return {str(name): frozenset(rows) for name, rows in lists.groupby("list")["code"]}


@cache
def _codes_anywhere() -> dict[str, frozenset[str]]:
    """Give the codes that any version lists for each attribute."""
    found: dict[str, frozenset[str]] = {}
    for version in VERSIONS:
        model = attributes(version)
        for attribute, name in zip(model["attribute"], model["value_list"], strict=True):
            if name:
                found[attribute] = found.get(attribute, frozenset()) | _lists(version).get(name, frozenset())
    return found


def _lost(name: str, attribute: str, n: int, what: str) -> pd.DataFrame:
    return _told("export_perdu", name, attribute, n, f"{what} : non portées")


def _told(rule: str, name: str, attribute: str, n: int, what: str) -> pd.DataFrame:
    codes = [""] if n else []
    return findings_frame(rule, "mineur", name, attribute=attribute, code=codes, message=f"{n} {what}")


def _completed(
    name: str, held: pd.DataFrame, table: pd.DataFrame, inventory: Inventory, version: WrittenVersion
) -> pd.DataFrame:
    """Fill what is told nowhere: what every row has, and what the migration table computes."""
    homes = carried_homes(name, version)
    given = {str(column): held[column] for column in held}
    if name == "cable":
        given |= _of_lines(given, table)
    for attribute, values in _computed(name, held, table, inventory, version).items():
        if attribute in homes:
            told = given.get(attribute)
            given[attribute] = values if told is None else told.astype("str").fillna(values)
    return pd.DataFrame(given, index=table.index)


def _computed(
    name: str, held: pd.DataFrame, table: pd.DataFrame, inventory: Inventory, version: WrittenVersion
) -> dict[str, pd.Series]:
    homes = carried_homes(name, version)
    base = next((home.table for home in homes.values() if home.table != "t_cableline"), "")
    own = [attribute for attribute, home in homes.items() if home.table == base]
    found = {attribute: _constant(table, word) for attribute, word in _NOT_TOLD.items()}
    found |= {attribute: _constant(table, "0") for attribute in own if attribute.endswith("_abandon")}
    for attribute in own:
        if attribute.endswith("_majdate"):
            dated = held.get(attribute.replace("_majdate", "_creadat"))
            date = table["updated"].dt.strftime("%Y-%m-%d %H:%M:%S").astype("str")
            wanting = table["updated"].notna()
            found[attribute] = date.where(wanting if dated is None else wanting & dated.isna())
    if name == "adresse":
        found["ad_nbfotth"] = _sum(inventory.carried.get(name), table[ROW], "ad_nbprhab", "ad_nbprpro")
    elif name == "site":
        kind = follow(table["st_code"], inventory["site"].set_index("st_code")["st_typelog"])
        found["st_nra"] = _constant(table, "0").mask(kind.isin(_OF_NRA), "1")
    elif name == "cheminement" and version == "3.0.1":
        found["cm_gest"] = of_conduits(inventory, "cd_gest", table["cm_code"])
    return found


def _of_lines(given: Mapping[str, pd.Series], cable: pd.DataFrame) -> dict[str, pd.Series]:
    """Keep what is told of the lines of cables that have one, each under its own code, else its cable's."""
    drawn = cable["geometry"].notna()
    own = {column: values.where(drawn) for column, values in given.items() if column.startswith("cl_")}
    code = own["cl_code"].astype("str") if "cl_code" in own else pd.Series(np.nan, cable.index, dtype=str)
    code = code.where(~code.duplicated()).fillna(cable["cb_code"].where(drawn))
    return {**own, "cl_code": code}


def _constant(table: pd.DataFrame, word: str) -> pd.Series:
    return pd.Series(word, index=table.index, dtype=str)


def _sum(given: pd.DataFrame | None, row: pd.Series, *columns: str) -> pd.Series:
    """Add carried numbers of each row; missing where none is told."""
    total = np.full(len(row), np.nan)
    for column in columns:
        if given is not None and column in given:
            number = parse_number(given[column].astype("str"))[0].reindex(row).to_numpy()
            total = np.where(np.isnan(total), number, total + np.nan_to_num(number))
    text = [np.format_float_positional(value, trim="-") for value in total]
    return pd.Series(text, index=row.index, dtype=str).where(~np.isnan(total))


def of_conduits(inventory: Inventory, attribute: str, ways: pd.Series) -> pd.Series:
    """Give what all the conduits of each way tell alike of an attribute; missing where they differ."""
    conduits = inventory["conduite"]
    beside = inventory.carried.get("conduite", pd.DataFrame())
    values = conduits[attribute] if attribute in conduits else beside.get(attribute)
    if values is None:
        return pd.Series(np.nan, index=ways.index, dtype=str)
    of_conduit = pd.Series(values.astype("str").to_numpy(), index=pd.Index(conduits["cd_code"]))
    links = inventory["cond_chem"]
    told = pd.DataFrame({"way": links["dm_cm_code"], "word": follow(links["dm_cd_code"], of_conduit)})
    told = told.dropna().drop_duplicates()
    alike = told[~told["way"].duplicated(keep=False)].set_index("way")["word"]
    return follow(ways, alike).set_axis(ways.index)
