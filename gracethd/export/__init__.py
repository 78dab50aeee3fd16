"""Handing an inventory over: migrated to one version of GraceTHD, as tables that a delivery holds.

`as_version` says what becomes of an inventory in a version, with every loss and every addition listed;
`delivered_tables` gives its tables to `gracethd.deliveries.write.write_delivery`.
"""

from gracethd.export.pseudonyms import pseudonymise
from gracethd.export.tables import delivered_tables
from gracethd.export.version import as_version

__all__ = ["as_version", "delivered_tables", "pseudonymise"]
