"""Deliveries as they come: folders and archives of shapefile+CSV, opened safely and read as text."""

from gracethd.deliveries.kept import kept_in
from gracethd.deliveries.reading import Reader, Root, Tell, open_deliveries, open_delivery, open_root
from gracethd.deliveries.types import Delivery

__all__ = ["Delivery", "Reader", "Root", "Tell", "kept_in", "open_deliveries", "open_delivery", "open_root"]
