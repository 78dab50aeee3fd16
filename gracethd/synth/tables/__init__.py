"""GraceTHD tables of a synthetic delivery: the same rows under the attributes of version 2.0.1 or 3.0.1."""

from gracethd.synth.tables.delivery import Tables, delivery_tables

__all__ = ["Tables", "delivery_tables"]
