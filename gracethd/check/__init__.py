"""What is wrong in deliveries: findings by rule, located, never blocking by themselves.

Families: reading, presence, types, lengths, lists, keys, references, filling, geometry, topology, trade. The
rules are rows of `RULES`; keys, types and lists are generated from the data model.
"""

from gracethd.check.checking import check, check_all, exceeds, summary
from gracethd.check.rules import RULES

__all__ = ["RULES", "check", "check_all", "exceeds", "summary"]
