"""The store: an inventory kept for reuse, which reopens many times faster than its deliveries are read.

A folder of GeoParquet files, one GeoPackage, or a PostGIS database: `write_store` writes, `open_store` gives
the same inventory back, dtypes included, and `gracethd.reading.read` recognises each.
"""

from gracethd.store.store import (
    check_destination,
    is_store,
    open_store,
    refuse_stores,
    store_name,
    work_folder,
    write_store,
)

__all__ = [
    "check_destination", "is_store", "open_store", "refuse_stores", "store_name", "work_folder",
    "write_store",
]  # fmt: skip
