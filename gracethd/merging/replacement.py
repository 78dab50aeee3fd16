"""A newer delivery of a zone takes the place of the older one, and the difference is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray

from gracethd.codes import among
from gracethd.findings import findings_frame, merge_findings
from gracethd.merging.alike import Rows, first_alike
from gracethd.merging.shapes import Shapes
from gracethd.normalise import PRISE_TYPES, TABLES

SHARED_CODES = 0.5
"""A delivery is the successor of another when it holds at least this share of its cables, boxes, premises."""

SAME_SHAPE_M = 0.01
"""Geometries that differ by less are the same: coordinates are written to the centimetre."""

_OWN = ("cable", "ebp", "premise")
_NOT_COMPARED = ("organisme", "cableline")


@dataclass(frozen=True)
class Replacement:
    """What is left of deliveries once the newest of each zone are known.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        Rows of the deliveries that are kept.
    replaced_by : mapping of str to str
        Delivery left out to the delivery that takes its place.
    findings : DataFrame
        ``livraison_remplacee`` with the numbers, ``objet_ajoute``, ``objet_retire`` and ``objet_modifie``
        with the codes; ``zone_deux_livraisons`` where two deliveries of a zone are both kept.
    """

    tables: Mapping[str, pd.DataFrame]
    replaced_by: Mapping[str, str]
    findings: pd.DataFrame = field(repr=False)


def replace_older(tables: Mapping[str, pd.DataFrame], deliveries: Sequence[str]) -> Replacement:
    """Leave out the deliveries that a newer one of the same zone replaces, and list what changed.

    A delivery replaces an older one when it holds all its zones (PM zones; NRO zones where it has none), its
    newest row is newer, and at least `SHARED_CODES` of the codes of the older one's cables, boxes and
    premises are among its own. A transport delivery and the distribution of the same zone share too few.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Rows of all deliveries, by the names of `gracethd.normalise.TABLES`.
    deliveries : sequence of str
        All of them, in their order.
    """
    zones = _zones(tables)
    rivals = zones.loc[zones["zone"].duplicated(keep=False), "delivery"].unique()
    if not len(rivals):
        return Replacement(tables, {}, merge_findings([]))
    names = pd.Index([name for name in deliveries if name in set(rivals)])
    common_zones = _common(zones, names)
    codes = pd.concat(
        [
            pd.DataFrame({"zone": name + " " + tables[name].iloc[:, 0], "delivery": tables[name]["delivery"]})
            for name in _OWN
        ]
    )
    common_codes = _common(codes, names)
    date = _dates(tables, names)
    older, newer = np.nonzero(
        (common_zones == np.diag(common_zones)[:, None])
        & (common_codes >= SHARED_CODES * np.maximum(np.diag(common_codes), 1)[:, None])
        & (date[:, None] < date[None, :])
    )
    # of several newer ones, the next in time: versions are compared one by one
    next_first = np.lexsort((newer, date[newer], older))
    older, newer = older[next_first], newer[next_first]
    once = np.unique(older, return_index=True)[1]
    replaced_by = {str(names[older[i]]): str(names[newer[i]]) for i in once}
    found = [_difference(tables, old, new) for old, new in replaced_by.items()]
    found.append(_both_kept(tables, zones, replaced_by))
    kept = {
        name: table[~among(table["delivery"], replaced_by).to_numpy()].reset_index(drop=True)
        for name, table in tables.items()
    }
    return Replacement(kept if replaced_by else tables, replaced_by, merge_findings(found))


def _zones(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give the zones of each delivery (columns zone, code, delivery): of its PM, else of its NRO."""
    parts = []
    for name, key in (("zsro", "zs_code"), ("znro", "zn_code")):
        held = pd.DataFrame(tables[name][[key, "delivery", "geometry"]]).rename(columns={key: "code"})
        held = held.drop_duplicates(["code", "delivery"]).reset_index(drop=True)
        shapes = shapely.make_valid(held["geometry"].to_numpy())
        # owners number their zones alike: what lies elsewhere is another zone
        like, _ = first_alike(
            held["code"].to_numpy(dtype=object),
            partial(_elsewhere, shapes),
        )
        parts.append(held[["code", "delivery"]].assign(zone=[f"{name} {row}" for row in like]))
    pm, nro = parts
    return pd.concat([pm, nro[~nro["delivery"].isin(pm["delivery"])]], ignore_index=True)


def _elsewhere(shapes: Shapes, one: Rows, other: Rows) -> NDArray[np.int8]:
    return (shapely.distance(shapes[one], shapes[other]) > 0).astype(np.int8)


def _common(held: pd.DataFrame, names: pd.Index) -> np.ndarray:
    """Count what each pair of deliveries holds in common, (n, n); the diagonal is what each holds."""
    held = held[among(held["delivery"], names)].drop_duplicates()
    row, column = names.get_indexer(pd.Index(held["delivery"])), pd.factorize(held["zone"])[0]
    there = sp.csr_array(
        (np.ones(len(held), np.int64), (row, column)), shape=(len(names), column.max(initial=0) + 1)
    )
    return (there @ there.T).toarray()


def _dates(tables: Mapping[str, pd.DataFrame], names: pd.Index) -> np.ndarray:
    """Give the newest update of each delivery; NaT, neither before nor after any, where nothing is dated."""
    newest = pd.concat([table.groupby("delivery")["updated"].max() for table in tables.values()])
    dates: np.ndarray = newest.groupby(level=0).max().reindex(names).to_numpy()
    return dates


def _both_kept(
    tables: Mapping[str, pd.DataFrame], zones: pd.DataFrame, replaced_by: Mapping[str, str]
) -> pd.DataFrame:
    """Report zones whose premises come from several deliveries."""
    with_premises = tables["premise"]["delivery"].unique()
    kept = zones[zones["delivery"].isin(with_premises) & ~zones["delivery"].isin(replaced_by)]
    again = kept[kept["zone"].duplicated()]
    return findings_frame(
        "zone_deux_livraisons", "mineur", "zsro", attribute="zs_code",
        code=again["code"], delivery=again["delivery"],
        message="zone de plusieurs livraisons, aucune ne remplace l'autre (dates ou codes) : toutes lues",
    )  # fmt: skip


def _difference(tables: Mapping[str, pd.DataFrame], old: str, new: str) -> pd.DataFrame:
    found, tally = [], {"objet_ajoute": 0, "objet_retire": 0, "objet_modifie": 0}
    for name, spec in TABLES.items():
        if spec.key_length > 1 or name in _NOT_COMPARED:
            continue
        key, table = spec.columns[0], tables[name]
        before, after = (
            pd.DataFrame(table[(table["delivery"] == one).to_numpy()]).drop_duplicates(key).set_index(key)
            for one in (old, new)
        )
        added, removed = after[~after.index.isin(before.index)], before[~before.index.isin(after.index)]
        changed, attributes = _changed(before, after, spec.columns[1:])
        for rule, rows, told in (
            ("objet_ajoute", added, f"absent de {old}"),
            ("objet_retire", removed, f"absent de {new}"),
            ("objet_modifie", changed, f"autre que dans {old}"),
        ):
            tally[rule] += len(rows)
            found.append(
                findings_frame(
                    rule, "info", name, code=rows.index, message=told, delivery=rows["delivery"],
                    line=rows["line"],
                ).assign(**({"attribute": attributes} if rule == "objet_modifie" and len(rows) else {}))
            )  # fmt: skip
    gained, lost = _prises(tables, old, new)
    summary = findings_frame(
        "livraison_remplacee", "info", "", code=[""], delivery=old,
        message=f"remplacée par {new}, plus récente : {tally['objet_ajoute']} objets ajoutés, "
        f"{tally['objet_retire']} retirés, {tally['objet_modifie']} modifiés ; "
        f"{gained} prises gagnées, {lost} perdues",
    )  # fmt: skip
    return merge_findings([*found, summary])


def _changed(
    before: pd.DataFrame, after: pd.DataFrame, columns: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Give the rows of `after` that say other things than `before`, and which attributes, joined."""
    codes = after.index[after.index.isin(before.index)]
    one, other = before.loc[codes], after.loc[codes]
    differ = {}
    for column in columns:
        a, b = one[column], other[column]
        differ[column] = ((a != b) & ~(a.isna() & b.isna())).to_numpy(dtype=bool)
    if "geometry" in after:
        was, now = (np.asarray(side["geometry"], dtype=object) for side in (one, other))
        same = shapely.equals_exact(shapely.normalize(was), shapely.normalize(now), SAME_SHAPE_M)
        differ["geom"] = ~(same | (shapely.is_missing(was) & shapely.is_missing(now)))
    masks = np.stack(list(differ.values()), axis=1)
    rows = np.flatnonzero(masks.any(axis=1))
    names = np.array(list(differ), dtype=object)
    return other.iloc[rows], [", ".join(names[mask]) for mask in masks[rows]]


def _prises(tables: Mapping[str, pd.DataFrame], old: str, new: str) -> tuple[int, int]:
    """Count prises gained and lost: rows of premises, else what addresses announce (D15)."""
    premise = tables["premise"]
    premise = premise[premise["type"].isin(PRISE_TYPES).to_numpy() | premise["type"].isna().to_numpy()]
    before, after = (pd.Index(premise.loc[premise["delivery"] == one, "code"]) for one in (old, new))
    if len(before) or len(after):
        return len(after.difference(before)), len(before.difference(after))
    address = tables["adresse"]
    announced = address[list(TABLES["adresse"].numbers)].sum(axis=1)
    counts = [announced[address["delivery"] == one].groupby(address["ad_code"]).max() for one in (old, new)]
    change = counts[1].sub(counts[0], fill_value=0)
    return int(change.clip(lower=0).sum()), int(-change.clip(upper=0).sum())
