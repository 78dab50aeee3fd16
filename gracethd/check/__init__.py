"""What is wrong in deliveries: findings by rule, located, never blocking by themselves.

Families of one table or several: reading, presence, types, lengths, lists, keys, references, filling,
geometry, topology, trade; of the network that the tables make: network, chains of ways, demand; and between
deliveries. The rules are rows of `RULES`; keys, types and lists are generated from the data model.
"""

from gracethd.check.checking import check, check_all, check_tables, exceeds, summary
from gracethd.check.lots import Checked, check_paths
from gracethd.check.rules import RULES
from gracethd.check.settings import Settings, load_settings

__all__ = [
    "RULES", "Checked", "Settings", "check", "check_all", "check_paths", "check_tables", "exceeds",
    "load_settings", "summary",
]  # fmt: skip
