"""One code, two objects: the owner of the works numbers its objects, another owner may use the same numbers.

Objects that bear one code in two deliveries are one object unless they are of another type, lie apart, or
belong to other objects; where nothing tells (a patch cord without ends), they do as most of the objects do
that the two deliveries both hold and that have a place. The later one is then named ``code~delivery``,
wherever its delivery speaks of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.findings import findings_frame, merge_findings
from gracethd.merging.alike import first_alike
from gracethd.merging.borders import SAME_PLACE_M, cables_continued
from gracethd.merging.newest import once_per_delivery
from gracethd.merging.references import rename_codes
from gracethd.merging.shapes import lines_agree, shapes_of
from gracethd.normalise import TABLES

TYPES = {
    "site": "st_typelog",
    "local": "lc_typelog",
    "ptech": "pt_typephy",
    "ebp": "bp_typelog",
    "cable": "cb_typephy",
    "organisme": "or_siren",
}
"""What makes objects of one table different in kind; compared where both deliveries tell it."""

_SITES_OF_V3 = ("RESEAU", "CLIENT")
"""Version 3 tells NRO and SRO by the room and not by the site: the two versions say other words."""

_LINES = ("cable", "cheminement")
_SAME, _TYPE, _PLACE, _OWNER = 0, 1, 2, 3
_RULES = {
    _TYPE: ("code_deux_types", "même code qu'un objet d'un autre type d'une autre livraison"),
    _PLACE: ("code_deux_lieux", f"même code qu'un objet à plus de {SAME_PLACE_M:g} m d'une autre livraison"),
}


def part_codes(tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Give their own code to objects that share one, and to whatever refers to them.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Rows of all deliveries in their order, by the names of `gracethd.normalise.TABLES`, in one CRS.

    Returns
    -------
    tables : dict of str to DataFrame
        At most one row a key and delivery. An object that is another one than the first of its code is
        named ``code~delivery`` (of the first delivery that tells of it), in its key and in every reference
        of the deliveries that mean it.
    findings : DataFrame
        Rules ``cle_double``, ``code_deux_types``, ``code_deux_lieux``, and ``code_deux_objets`` with one
        line a table and delivery (fibres, positions and conduits whose code another cable's have).
    """
    parted, found = dict(tables), []
    numbers = pd.Index(pd.unique(pd.concat([table["delivery"] for table in tables.values()])))
    votes = _Votes(len(numbers), pd.Series(dtype=np.int64))
    for name, spec in TABLES.items():
        if spec.key_length > 1:
            continue
        parted[name], twice = once_per_delivery(name, parted[name])
        found.append(twice)
        if name == "cableline":
            continue  # named by its cable
        renames, votes = _renames(parted, name, numbers, votes)
        if len(renames):
            parted = rename_codes(parted, name, renames[["delivery", "code", "new"]])
            found.append(_told(name, renames))
    return parted, merge_findings(found)


@dataclass(frozen=True)
class _Votes:
    """How often two deliveries mean two objects by one code, less how often they mean one, by pair."""

    n_deliveries: int
    balance: pd.Series

    def add(self, one: NDArray[np.intp], other: NDArray[np.intp], apart: NDArray[np.bool_]) -> "_Votes":
        new = pd.Series(np.where(apart, 1, -1), index=self._pair(one, other), dtype=np.int64)
        return _Votes(self.n_deliveries, pd.concat([self.balance, new]).groupby(level=0).sum())

    def strangers(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.bool_]:
        balance = self.balance.reindex(self._pair(one, other)).to_numpy(dtype=float)
        return np.nan_to_num(balance) > 0

    def _pair(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.minimum(one, other) * self.n_deliveries + np.maximum(one, other)


def _renames(
    tables: Mapping[str, pd.DataFrame], name: str, numbers: pd.Index, votes: _Votes
) -> tuple[pd.DataFrame, _Votes]:
    """Give the rows that need another code (delivery, code, new, line, why), and what they vote for."""
    table, key = tables[name], TABLES[name].columns[0]
    rows = pd.DataFrame(table[table[key].duplicated(keep=False).to_numpy()]).reset_index(drop=True)
    if not len(rows):
        return pd.DataFrame(), votes
    code, delivery = (rows[column].to_numpy(dtype=object) for column in (key, "delivery"))
    number = numbers.get_indexer(pd.Index(delivery))
    comparison = _Comparison(tables, name, rows, number, votes)
    like, why = first_alike(code, comparison)
    first = first_alike(code, lambda one, _other: np.zeros(len(one), np.int8))[0]
    told = np.flatnonzero((first != np.arange(len(rows))) & comparison.placed[first] & comparison.placed)
    votes = votes.add(number[first[told]], number[told], like[told] != first[told])
    renamed = why != _SAME
    new = pd.Series(code[renamed] + "~" + delivery[like[renamed]], dtype="str")
    renames = pd.DataFrame({
        "delivery": delivery[renamed], "code": code[renamed], "new": new,
        "line": rows["line"].to_numpy()[renamed], "why": why[renamed],
    })  # fmt: skip
    return renames.astype({"delivery": "str", "code": "str"}), votes


class _Comparison:
    """Why pairs of rows of one table are two objects; what they are compared by is looked up once."""

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        name: str,
        rows: pd.DataFrame,
        number: NDArray[np.intp],
        votes: _Votes,
    ) -> None:
        self.name, self.tables, self.number, self.votes = name, tables, number, votes
        self.rows = {column: rows[column].to_numpy(dtype=object) for column in TABLES[name].columns}
        self.shapes = shapes_of(tables, name, rows)
        self.placed = ~shapely.is_missing(self.shapes)
        self.ways = _ways(tables["cond_chem"], rows) if name == "conduite" else pd.DataFrame()

    def __call__(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.int8]:
        """Give the reason for each pair, 0 where the two are one object."""
        reason = np.zeros(len(one), np.int8)
        pairs = np.flatnonzero(one != other)
        a, b = one[pairs], other[pairs]
        why = np.where(self._other_owner(a, b), _OWNER, _SAME).astype(np.int8)
        why[self._apart(a, b)] = _PLACE
        why[self._other_type(a, b)] = _TYPE
        reason[pairs] = why
        return reason

    def _differ(self, column: str, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
        one, other = pd.Series(self.rows[column][a]), pd.Series(self.rows[column][b])
        return (one.notna() & other.notna() & (one != other)).to_numpy(dtype=bool)

    def _other_type(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
        if self.name not in TYPES:
            return np.zeros(len(a), bool)
        differ = self._differ(TYPES[self.name], a, b)
        if self.name == "site":
            new_words = np.isin(self.rows["st_typelog"].astype(str), _SITES_OF_V3)
            differ = differ & (new_words[a] == new_words[b])
        return differ

    def _apart(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
        one, other = self.shapes[a], self.shapes[b]
        apart: NDArray[np.bool_] = shapely.distance(one, other) > SAME_PLACE_M
        if self.name in _LINES:
            drawn = (shapely.get_dimensions(one) == 1) & (shapely.get_dimensions(other) == 1)
            near = np.flatnonzero(drawn & ~apart)
            one, other = one[near], other[near]
            agree = lines_agree(one, other, SAME_PLACE_M)
            if self.name == "cable":
                agree |= cables_continued(self.tables, one, other)
            apart[near] = ~agree
        return apart

    def _other_owner(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
        if self.name == "fibre":
            return self._differ("fo_cb_code", a, b)
        if self.name == "position":
            return self._other_splice(a, b)
        if self.name == "conduite":
            told = np.isin(a, self.ways["row"]) & np.isin(b, self.ways["row"])
            return np.where(told, _no_common_way(self.ways, a, b), self._strangers(a, b))
        return ~(self.placed[a] & self.placed[b]) & self._strangers(a, b)

    def _strangers(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
        return self.votes.strangers(self.number[a], self.number[b])

    def _other_splice(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell positions that share no fibre and are not in one cassette or drawer."""
        fibres = [[self.rows[name][side] for name in ("ps_1", "ps_2")] for side in (a, b)]
        common = np.zeros(len(a), bool)
        for one in fibres[0]:
            for other in fibres[1]:
                common |= (pd.Series(one) == pd.Series(other)).to_numpy(dtype=bool)
        elsewhere = self._differ("ps_cs_code", a, b) | self._differ("ps_ti_code", a, b)
        return elsewhere & ~common


def _ways(cond_chem: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Give the ways that each conduit lies in, in the words of its own delivery: columns row, way."""
    held = rows[["delivery", "cd_code"]].rename(columns={"cd_code": "dm_cd_code"}).assign(row=rows.index)
    ways = held.merge(cond_chem[["delivery", "dm_cd_code", "dm_cm_code"]], on=["delivery", "dm_cd_code"])
    return ways.rename(columns={"dm_cm_code": "way"})[["row", "way"]].drop_duplicates()


def _no_common_way(ways: pd.DataFrame, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell pairs of conduits that lie in no common way."""
    pairs = pd.DataFrame({"pair": np.arange(len(a)), "a": a, "b": b})
    of_a = pairs.merge(ways, left_on="a", right_on="row")[["pair", "way"]]
    of_b = pairs.merge(ways, left_on="b", right_on="row")[["pair", "way"]]
    return ~pairs["pair"].isin(of_a.merge(of_b)["pair"]).to_numpy()


def _told(name: str, renames: pd.DataFrame) -> pd.DataFrame:
    key = TABLES[name].columns[0]
    parts = []
    for reason, (rule, message) in _RULES.items():
        rows = renames[renames["why"] == reason]
        parts.append(
            findings_frame(
                rule, "majeur", name, attribute=key, code=rows["new"],
                message=f"{message} : gardé sous code~livraison", delivery=rows["delivery"],
                line=rows["line"],
            )
        )  # fmt: skip
    counts = renames[renames["why"] == _OWNER].groupby("delivery", sort=True).size()
    parts.append(
        findings_frame(
            "code_deux_objets", "mineur", name, attribute=key, code=[""] * len(counts),
            message=[f"{n} codes sont ceux d'autres objets : gardés sous code~livraison" for n in counts],
            delivery=counts.index,
        )
    )  # fmt: skip
    return merge_findings(parts)
