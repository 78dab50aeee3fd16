"""The état des lieux: what a network is made of, whom it serves, and how well the deliveries tell it."""

from gracethd.stock.communes import read_communes
from gracethd.stock.tables import take_stock
from gracethd.stock.write import write_stock

__all__ = ["read_communes", "take_stock", "write_stock"]
