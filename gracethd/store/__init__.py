"""The store: an inventory kept for reuse, which reopens many times faster than its deliveries are read.

A folder of GeoParquet files, or one GeoPackage: `write_store` writes, `open_store` gives the same inventory
back, dtypes included, and `gracethd.reading.read` recognises either.
"""

from gracethd.store.store import check_destination, is_store, open_store, refuse_stores, write_store

__all__ = ["check_destination", "is_store", "open_store", "refuse_stores", "write_store"]
