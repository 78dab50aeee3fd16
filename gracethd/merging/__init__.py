"""Putting deliveries together: which rows are one object, which delivery replaces which, where they join."""

from gracethd.merging.borders import join_cables, join_places
from gracethd.merging.identity import part_codes
from gracethd.merging.newest import newest_rows
from gracethd.merging.replacement import Replacement, replace_older

__all__ = ["Replacement", "join_cables", "join_places", "newest_rows", "part_codes", "replace_older"]
