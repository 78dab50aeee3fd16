"""The layered network: places, ways, equipment and cables as assets, and what fails with what (D1-D11)."""

from gracethd.network.build import build_network
from gracethd.network.types import KINDS, Network

__all__ = ["KINDS", "Network", "build_network"]
