"""What becomes of an inventory in a version of GraceTHD: each loss and addition has a line that says so."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gracethd.deliveries.write import WrittenVersion
from gracethd.export.carry import ROW, carried_as, numbered
from gracethd.export.rows import by_key
from gracethd.export.tables import delivered_tables, homes, mandatory_gaps, outside_lists
from gracethd.export.version2 import to_version_2
from gracethd.export.version3 import to_version_3
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.normalise import TABLES
from gracethd.personal import put_back

Tables = Mapping[str, pd.DataFrame]


def as_version(inventory: Inventory, version: WrittenVersion) -> tuple[Inventory, pd.DataFrame]:
    """Give the inventory that reading its delivery in a version would give back.

    An inventory that was read from deliveries of that version comes back as it is. One of another version
    is migrated: codes, counts of prises, routes and losses stay, what the version cannot hold goes. What is
    carried beside it (`gracethd.carried`) or kept of persons is migrated with it.

    Parameters
    ----------
    inventory : Inventory
    version : {"2.0.1", "3.0.1"}

    Returns
    -------
    inventory : Inventory
        The migrated tables.
    findings : DataFrame
        ``export_perdu`` what the version cannot hold; ``export_ajoute`` objects that it needs and the
        inventory did not have; ``export_remplace`` values or objects said otherwise; ``export_ambigu`` what
        a reader may take for something else; ``export_hors_liste`` values that its lists do not have;
        ``export_vide`` attributes that it wants filled and that no delivery told.

    Examples
    --------
    >>> migrated, findings = as_version(inventory, "3.0.1")  # doctest: +SKIP
    """
    inventory = put_back(inventory)
    migrate = to_version_2 if version == "2.0.1" else to_version_3
    tables, findings = migrate(numbered(inventory))
    tables, lost = _holdable(tables, version)
    tables = {name: by_key(name, table) for name, table in tables.items()}
    told = {name: frozenset(attribute for _, attribute in homes(name, version).values()) for name in tables}
    carried, not_carried = carried_as(inventory, tables, version, told)
    tables = {name: table.drop(columns=ROW) for name, table in tables.items()}
    migrated = Inventory(tables, inventory.crs, inventory.deliveries, inventory.findings, carried)
    gaps = mandatory_gaps(delivered_tables(migrated, version), version)
    found = [findings, lost, not_carried, outside_lists(tables, version), gaps]
    return migrated, merge_findings(found)


def _holdable(tables: Tables, version: WrittenVersion) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Empty the columns that no attribute of the version holds, and count what they held."""
    kept, lost = {}, []
    for name, table in tables.items():
        held = homes(name, version)
        gone = [
            column for column in TABLES[name].columns if column not in held and table[column].notna().any()
        ]
        for column in gone:
            n = int(table[column].notna().sum())
            message = f"{n} valeurs sans attribut en {version} : non portées"
            lost.append(
                findings_frame("export_perdu", "mineur", name, attribute=column, code=[""], message=message)
            )
        empty = {column: pd.Series(np.nan, index=table.index).astype(table[column].dtype) for column in gone}
        kept[name] = table.assign(**empty)
    return kept, merge_findings(lost)
