"""Deliveries as they come: folders and archives of shapefile+CSV, opened safely and read as text."""

from gracethd.deliveries.types import Delivery

__all__ = ["Delivery"]
