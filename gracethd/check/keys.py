"""Keys: each row is named once, and each code that a row refers to exists, generated from the model."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gracethd.check.batches import Batch
from gracethd.check.model import table_major, table_model
from gracethd.check.rules import OF, PRIMARY_KEYS, report, report_table
from gracethd.codes import among
from gracethd.deliveries.types import Delivery
from gracethd.values import parse_bool

ANNEXES = frozenset({"t_organisme", "t_reference", "t_adresse", "t_document"})
"""Tables that describe the network without joining its parts."""


def check_primary_keys(batch: Batch) -> Iterator[pd.DataFrame]:
    """Find rows with an empty key, and rows whose key another row has; each of the latter but the first."""
    table, frame = batch.table, batch.frame
    names = [name for name in PRIMARY_KEYS.get(table, ()) if name in frame]
    if not names:
        return
    empty = frame[names].isna().any(axis=1)
    yield report("cle_vide", table, frame, empty, attribute=names[0])
    named = frame[~empty]
    yield report("cle_double", table, named, named.duplicated([*names, OF]), attribute=names[0])


UNIQUE = {
    "t_cable": ("cb_codeext",), "t_ebp": ("bp_codeext",), "t_empreinte": ("em_do_code",),
    "t_local": ("lc_codeext",), "t_pointaccueil": ("pa_codeext", "pa_codtemp"),
    "t_ptech": ("pt_codeext", "pt_nd_code"), "t_site": ("st_nd_code", "st_codeext"),
    "t_sitetech": ("st_nd_code", "st_codeext"), "t_tiroir": ("ti_codeext",), "t_zcoax": ("zc_nd_code",),
    "t_zdep": ("zd_nd_code",), "t_zpbo": ("zp_bp_code",),
}  # fmt: skip
"""Attributes that are no key and name one object each (dbt-grace-thd ctrl_uc, and their version 2 twins)."""


def check_unique(batch: Batch) -> Iterator[pd.DataFrame]:
    """Find values that should be unique and that an earlier row has; rows of one key are told once."""
    table, frame, keys = batch.table, batch.frame, PRIMARY_KEYS.get(batch.table, ())
    if table not in UNIQUE or not set(keys) <= set(frame.columns):
        return
    for name in UNIQUE[table]:
        if name in frame:
            named = frame[frame[name].notna()].drop_duplicates([*keys, OF])
            yield report("valeur_double", table, named, named.duplicated([name, OF]), attribute=name)


def foreign_keys(delivery: Delivery) -> pd.DataFrame:
    """Give the foreign keys of the tables of a delivery: columns table, attribute, target, key (text)."""
    rows = [
        (table, name, *target.split("."))
        for table in delivery.tables
        for name, target in table_model(table, table_major(delivery, table))["foreign_key"].items()
        if target
    ]
    return pd.DataFrame(rows, columns=["table", "attribute", "target", "key"], dtype=str)


def check_foreign_keys(deliveries: Sequence[Delivery]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Find codes that no delivery holds, in every table of each; with the name of the delivery."""
    known = _known_codes(deliveries)
    holders: dict[tuple[str, str, str, str], list[Delivery]] = {}
    for delivery in deliveries:
        for table, name, target, key in foreign_keys(delivery).itertuples(index=False, name=None):
            frame = delivery.tables[table]
            if name in frame and frame[name].notna().any():
                holders.setdefault((table, name, target, key), []).append(delivery)
    for (table, name, target, key), holding in holders.items():
        if (target, key) not in known:
            for one in holding:
                yield one.name, report_table("table_referencee_absente", table, name, detail=target)
            continue
        rule = "cle_etrangere_annexe" if target in ANNEXES else "cle_etrangere"
        columns = [one.tables[table][name] for one in holding]
        codes = pd.concat(columns, ignore_index=True)
        lost = (codes.notna() & ~among(codes, known[(target, key)])).to_numpy()
        at = np.cumsum([0, *map(len, columns)])
        for i in np.unique(np.searchsorted(at, np.flatnonzero(lost), side="right") - 1):
            own = lost[at[i] : at[i + 1]]
            yield (
                holding[i].name,
                report(rule, table, holding[i].tables[table], own, attribute=name, detail=target),
            )


def check_abandoned(delivery: Delivery) -> Iterator[pd.DataFrame]:
    """Find objects in service that refer to an abandoned one (by its own flag or date)."""
    gone = {table: is_abandoned(frame) for table, frame in delivery.tables.items()}
    for table, name, target, key in foreign_keys(delivery).itertuples(index=False, name=None):
        frame = delivery.tables[table]
        if target in ANNEXES or target not in gone or not gone[target].any() or name not in frame:
            continue
        targets = delivery.tables[target]
        if key not in targets:
            continue
        in_service = targets.loc[~gone[target], key]  # a code that another row keeps in service is in service
        lost = frame[name].isin(targets.loc[gone[target], key].dropna()) & ~frame[name].isin(in_service)
        yield report("abandon_utilise", table, frame, lost & ~gone[table], attribute=name, detail=target)


def is_abandoned(frame: pd.DataFrame) -> pd.Series:
    """Tell which rows are abandoned: ``xx_abandon`` true, or ``xx_abddate`` filled."""
    gone = np.zeros(len(frame), bool)
    for name in (str(name) for name in frame.columns):
        if name.endswith("_abandon"):
            gone |= parse_bool(frame[name])[0].fillna(value=False).to_numpy(dtype=bool)
        elif name.endswith("_abddate"):
            gone |= frame[name].notna().to_numpy()
    return pd.Series(gone, index=frame.index)


def _known_codes(deliveries: Sequence[Delivery]) -> dict[tuple[str, str], pd.Index]:
    """Give the codes of every key that is referred to, over all deliveries."""
    wanted = pd.concat(
        [foreign_keys(delivery)[["target", "key"]] for delivery in deliveries]
    ).drop_duplicates()
    known = {}
    for target, key in wanted.sort_values(["target", "key"]).itertuples(index=False, name=None):
        found = [
            one.tables[target][key]
            for one in deliveries
            if target in one.tables and key in one.tables[target]
        ]
        if found:
            known[(target, key)] = pd.Index(pd.concat(found).dropna().unique())
    return known
