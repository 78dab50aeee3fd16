"""Assembling a service graph: vertices at places and boxes, edges that are stretches of cables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gracethd.connected import connected_parts
from gracethd.network.types import Network
from gracethd.routes.reach import Reach, reach
from gracethd.routes.survey import NOWHERE
from gracethd.service import ServiceGraph

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass
class GraphParts:
    """A graph while it is being put together; numbers of vertices and edges are given in order.

    Vertex 0 is the root. Each vertex may stand at a place (number in `places`) and belong to one asset
    (a box or a room); each edge may be a stretch of a cable (section number), or nothing that can fail.
    """

    network: Network
    places: pd.Index
    _place: list[NDArray[np.int32]] = field(default_factory=list)
    _owner: list[NDArray[np.int32]] = field(default_factory=list)
    _tail: list[NDArray[np.int32]] = field(default_factory=list)
    _head: list[NDArray[np.int32]] = field(default_factory=list)
    _section: list[NDArray[np.int32]] = field(default_factory=list)
    _ambiguous: list[NDArray[np.bool_]] = field(default_factory=list)
    _possible: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = field(default_factory=list)
    n_vertices: int = 0

    def __post_init__(self) -> None:
        self.vertices(1)

    def vertices(self, n: int, place: ArrayLike = NOWHERE, owner: ArrayLike = NOWHERE) -> NDArray[np.int32]:
        """Add `n` vertices and give their numbers."""
        self._place.append(np.broadcast_to(np.asarray(place, np.int32), n).copy())
        self._owner.append(np.broadcast_to(np.asarray(owner, np.int32), n).copy())
        first = self.n_vertices
        self.n_vertices += n
        return np.arange(first, first + n, dtype=np.int32)

    def edges(
        self, tail: ArrayLike, head: ArrayLike, *, section: ArrayLike = NOWHERE, ambiguous: ArrayLike = False
    ) -> None:
        """Add edges between vertices; `section` says which stretch of cable each one is."""
        ends = np.asarray(tail, np.int32), np.asarray(head, np.int32)
        n = np.broadcast(*ends).size
        self._tail.append(np.broadcast_to(ends[0], n).copy())
        self._head.append(np.broadcast_to(ends[1], n).copy())
        self._section.append(np.broadcast_to(np.asarray(section, np.int32), n).copy())
        self._ambiguous.append(np.broadcast_to(np.asarray(ambiguous, np.bool_), n).copy())

    def possible(self, asset: ArrayLike, vertex: ArrayLike) -> None:
        """Say that assets may stand on the way to vertices, where the order of openings is unknown."""
        self._possible.append((np.asarray(asset, np.int32), np.asarray(vertex, np.int32)))

    def edge_list(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
        """Give the edges so far: tail, head, section, ambiguous."""
        return (
            _joined(self._tail, np.int32),
            _joined(self._head, np.int32),
            _joined(self._section, np.int32),
            _joined(self._ambiguous, np.bool_),
        )

    def vertex_list(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Give the vertices so far: place (number) and owner (asset), -1 none."""
        return _joined(self._place, np.int32), _joined(self._owner, np.int32)

    def components(self, *, rooted: bool = True) -> NDArray[np.int32]:
        """Give the number of each vertex's connected part; without the edges of the root on demand."""
        tail, head, _, _ = self.edge_list()
        kept = np.ones(len(tail), np.bool_) if rooted else (tail != 0) & (head != 0)
        return connected_parts(self.n_vertices, tail[kept], head[kept])

    def depth(self) -> NDArray[np.int32]:
        """Give the edges between the root and each vertex, -1 where none lead there."""
        return self.reach(np.zeros((0, self.n_vertices), np.bool_)).depth

    def reach(self, marked: NDArray[np.bool_]) -> Reach:
        """Search from the root; a path is unsure where a cable on it has an ambiguous alternative."""
        tail, head, section, ambiguous = self.edge_list()
        return reach(self.n_vertices, tail, head, marked, ambiguous & (section >= 0))

    def finish(self, prises_vertex: NDArray[np.int32], prises: NDArray[np.int64]) -> ServiceGraph:
        """Give the graph with the assets that own its parts and the prises that stand in it."""
        place, owner = _joined(self._place, np.int32), _joined(self._owner, np.int32)
        standing = _standing(self.network, self.places)
        vertex = pd.DataFrame({"place": place, "vertex": np.arange(self.n_vertices, dtype=np.int32)})
        at_place = vertex[vertex["place"] >= 0].merge(standing, on="place")
        owned = np.flatnonzero(owner >= 0)
        links = pd.DataFrame(
            {
                "asset": np.concatenate([at_place["asset"].to_numpy(), owner[owned]]),
                "part": np.concatenate([at_place["vertex"].to_numpy(), owned]),
            }
        ).drop_duplicates()
        section = _joined(self._section, np.int32)
        held = _holders(self.network)
        edge = pd.DataFrame({"section": section, "edge": np.arange(len(section), dtype=np.int32)})
        carried = edge[edge["section"] >= 0].merge(held, on="section")[["asset", "edge"]].drop_duplicates()
        possible_asset = _joined([asset for asset, _ in self._possible], np.int32)
        possible_vertex = _joined([vertex for _, vertex in self._possible], np.int32)
        traced = prises_vertex >= 0
        return ServiceGraph(
            n_vertices=self.n_vertices,
            n_assets=len(self.network.assets),
            tail=_joined(self._tail, np.int32),
            head=_joined(self._head, np.int32),
            ambiguous=_joined(self._ambiguous, np.bool_),
            vertex_asset=links["asset"].to_numpy(np.int32),
            vertex_of=links["part"].to_numpy(np.int32),
            edge_asset=carried["asset"].to_numpy(np.int32),
            edge_of=carried["edge"].to_numpy(np.int32),
            possible_asset=possible_asset,
            possible_vertex=possible_vertex,
            prises=np.bincount(
                prises_vertex[traced], weights=prises[traced], minlength=self.n_vertices
            ).astype(np.int64),
        )


def _joined(parts: Sequence[NDArray[Scalar]], dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)


def _standing(network: Network, places: pd.Index) -> pd.DataFrame:
    """List what falls with a place: the node itself, its chamber or pole, its site (D1)."""
    assets = network.assets
    at = assets[assets["kind"].isin(("noeud", "ptech", "site")) & (assets["nd_code"] != "")]
    return pd.DataFrame(
        {"place": places.get_indexer(pd.Index(at["nd_code"])), "asset": at.index.to_numpy(np.int32)}
    )


def _holders(network: Network) -> pd.DataFrame:
    """List what each stretch of cable falls with: the cable, and all that holds it there."""
    own = network.sections[["section", "cable"]].rename(columns={"cable": "asset"}).drop_duplicates()
    used = network.uses[["section", "carrier"]].rename(columns={"carrier": "asset"})
    return pd.concat([own, used], ignore_index=True).drop_duplicates()
