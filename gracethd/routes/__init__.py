"""Routes: from each prise to its feed, by splices, else by cables, else by zone (D7, D9, D15)."""

from gracethd.routes.hops import OpticalRoutes, optical_routes
from gracethd.routes.tallies import count
from gracethd.routes.trace import trace_routes
from gracethd.routes.types import Routes

__all__ = ["OpticalRoutes", "Routes", "count", "optical_routes", "trace_routes"]
