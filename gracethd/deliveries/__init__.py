"""Deliveries as they come: folders and archives of shapefile+CSV, opened safely and read as text."""

from gracethd.deliveries.reading import open_deliveries, open_delivery
from gracethd.deliveries.types import Delivery

__all__ = ["Delivery", "open_deliveries", "open_delivery"]
