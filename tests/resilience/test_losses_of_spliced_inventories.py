"""Losses of spliced inventories, against an obvious reading of DESIGN D3, D6-D9 and D14-D15 with networkx.

The judge shares no code with the packages: it reads the rows with dictionaries, follows one fibre at a time,
removes one asset at a time and searches again.
"""

from collections import Counter, defaultdict

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.inventory import Inventory
from gracethd.network import build_network
from gracethd.routes import trace_routes
from tests.draws import draws
from tests.networks import (
    Piece,
    assert_losses,
    cable,
    closure,
    draw,
    groups_of,
    nro,
    patch,
    pbo,
    pm,
    prises,
    splice,
    wait,
    way,
)

LAYERS = {
    "CO": {"collecte"},
    "TR": {"transport"},
    "DI": {"distribution"},
    "RA": {"distribution"},
    "TD": {"transport", "distribution"},
}
Row = dict[str, object]
Point = tuple[float, float]


def somewhere(i: int) -> Point:
    """Give place i on a curve: no place lies on the line between two others; they follow in order."""
    return (100.0 * i, 10.0 * i * i)


@st.composite
def inventories(draw_: st.DrawFn) -> Inventory:
    """Draw a row of places: rooms first, then boxes, cables over some of them, drops, splices.

    Cables may be opened at any box between their ends or at them, spliced to any other, end in drawers or
    wait; fibres may be spliced twice (splitters), places may hold several boxes, layers may be mixed.
    """
    n_nro, n_pm = draw_(st.integers(0, 2)), draw_(st.integers(1, 2))
    n_places = n_nro + n_pm + draw_(st.integers(2, 4))
    spot = [f"N{i}" for i in range(n_places)]
    at = {name: somewhere(i) for i, name in enumerate(spot)}
    rooms = {f"R{i}": i for i in range(n_nro + n_pm)}
    pieces: list[Piece] = [nro(r, spot[i]) if i < n_nro else pm(r, spot[i]) for r, i in rooms.items()]
    boxes = {f"B{i}": draw_(st.integers(n_nro, n_places - 1)) for i in range(draw_(st.integers(1, 4)))}
    pieces += [draw_(st.sampled_from([closure, pbo]))(b, spot[i]) for b, i in boxes.items()]
    spans: dict[str, tuple[int, int]] = {}
    fibres: dict[str, list[str]] = {}
    for number in range(draw_(st.integers(1, 6))):
        one, two = draw_(st.permutations(range(n_places)))[:2]
        code, layer = f"C{number}", draw_(st.sampled_from(["TR", "DI", "DI", "DI", "TD", "CO"]))
        spans[code], fibres[code] = (one, two), [f"{code}.1", f"{code}.2"]
        pieces.append(
            cable(code, spot[one], spot[two], layer, fibres=2, line=[somewhere(one), somewhere(two)])
        )
    homes = [f"H{i}" for i in range(draw_(st.integers(0, 2)))]
    for number, home in enumerate(homes):
        at[home] = (-1000.0 - 100 * number, 0.0)
        for twin in range(draw_(st.integers(1, 2))):
            code, near = f"D{number}{twin}", draw_(st.integers(n_nro, n_places - 1))
            spans[code], fibres[code] = (near, near), [f"{code}.1", f"{code}.2"]
            ends = (spot[near], home) if draw_(st.booleans()) else (home, spot[near])
            pieces.append(cable(code, *ends, "RA", fibres=2))
    for number in range(draw_(st.integers(0, 3))):
        carried = draw_(st.lists(st.sampled_from(sorted(spans)), max_size=2, unique=True))
        pieces.append(way(f"W{number}", *draw_(st.permutations(spot))[:2], *carried))
    pieces += _positions(draw_, spans, fibres, boxes, rooms)
    homeless = [None, *boxes]
    for number in range(draw_(st.integers(1, 6))):
        zone = draw_(st.sampled_from([None, *range(n_nro, n_nro + n_pm)]))
        home = draw_(st.sampled_from([None, *homes])) if homes else None
        key = draw_(st.sampled_from(homeless))
        pieces.append(prises(key, f"L{number}", nd_code=home, zp_code=None if zone is None else f"P{zone}"))
    zones = {"zpbo": [{"zp_code": f"P{i}", "zp_zs_code": f"ZR{i}"} for i in range(n_nro, n_nro + n_pm)]}
    return draw(*pieces, zones, at=at)


def _positions(
    draw_: st.DrawFn,
    spans: dict[str, tuple[int, int]],
    fibres: dict[str, list[str]],
    boxes: dict[str, int],
    rooms: dict[str, int],
) -> list[Piece]:
    pieces: list[Piece] = []
    for code, place in boxes.items():
        near = [f for c, (a, b) in spans.items() if min(a, b) <= place <= max(a, b) for f in fibres[c]]
        for _ in range(draw_(st.integers(0, 3)) if near else 0):
            one, two = draw_(st.sampled_from(near)), draw_(st.sampled_from([None, *near]))
            pieces.append(wait(code, one) if two is None else splice(code, one, two))
    for code, place in rooms.items():
        near = [f for c, ends in spans.items() if place in ends for f in fibres[c]]
        if near:
            pieces.append(patch(code, *draw_(st.lists(st.sampled_from(near), max_size=4, unique=True))))
    return pieces


class Judge:
    """The network as DESIGN tells it, one dictionary after the other."""

    def __init__(self, inventory: Inventory) -> None:
        self.rows: dict[str, list[Row]] = {
            name: [{k: v for k, v in row.items() if v == v} for row in table.to_dict("records")]  # noqa: PLR0124
            for name, table in inventory.items()
        }
        rows = self.rows
        self.point = {r["nd_code"]: np.array(r["geometry"].coords[0]) for r in rows["noeud"]}
        site = {r["st_code"]: r["st_nd_code"] for r in rows["site"]}
        self.room_node = {r["lc_code"]: site[r["lc_st_code"]] for r in rows["local"]}
        self.nature = {r["lc_code"]: "NRO" if r["lc_typelog"] == "NRO" else "PM" for r in rows["local"]}
        chamber = {r["pt_code"]: r["pt_nd_code"] for r in rows["ptech"]}
        self.box_node = {r["bp_code"]: chamber[r["bp_pt_code"]] for r in rows["ebp"]}
        self.homes = {r["nd_code"] for r in rows["premise"] if "nd_code" in r}
        self.cable_of = {r["fo_code"]: r["fo_cb_code"] for r in rows["fibre"]}
        self._read_positions()
        self.cables = {r["cb_code"]: r for r in rows["cable"]}
        self.end = {(c, n): self._end(c, r[f"cb_nd{n}"]) for c, r in self.cables.items() for n in (1, 2)}
        for code in sorted(self.cables):
            one, two = self.end[code, 1], self.end[code, 2]
            if one == two and one[0] == "room":
                del self.cables[code]  # a cord inside one room (D5)
        self.stops = {code: self._stops(code) for code in self.cables}
        self.held = self._held()
        self._trace()

    def _read_positions(self) -> None:
        self.splices: dict[str, list[tuple[str, str]]] = defaultdict(list)  # fibre -> (other fibre, box)
        self.drawers: dict[str, set[str]] = defaultdict(set)  # fibre -> rooms
        self.waiting: dict[str, list[str]] = defaultdict(list)  # box -> fibres, in code order
        self.touches: Counter[tuple[str, str]] = Counter()  # (cable, box or room) -> positions
        for row in sorted(self.rows["position"], key=lambda r: str(r["ps_code"])):
            ends = [row[k] for k in ("ps_1", "ps_2") if k in row]
            where = row["ps_cs_code"][2:] if "ps_cs_code" in row else row["ps_ti_code"][2:]
            for fibre in ends:
                self.touches[self.cable_of[fibre], where] += 1
            if "ps_ti_code" in row:
                self.drawers[ends[0]].add(where)
            elif len(ends) == 1:
                self.waiting[where].append(ends[0])
            elif ends[0] != ends[1]:
                for one, two in (ends, ends[::-1]):
                    if (two, where) not in self.splices[one]:
                        self.splices[one].append((two, where))

    def _end(self, code: str, node: str) -> tuple[str, str | None]:
        """Give where an end stops: the equipment of its fibres there, the only box, the room, or nothing."""
        if node in self.homes:
            return ("home", f"{code}@{node}")
        here = [b for b, n in self.box_node.items() if n == node]
        rooms = sorted(r for r, n in self.room_node.items() if n == node)
        known = [(-self.touches[code, b], 0, b) for b in here if self.touches[code, b]]
        known += [(-self.touches[code, r], 1, r) for r in rooms if self.touches[code, r]]
        if known:
            _, is_room, what = min(known)
            return ("room" if is_room else "box", what)
        if len(here) == 1:
            return ("box", here[0])
        return ("room", rooms[0]) if rooms else ("open", node)

    def _stops(self, code: str) -> list[tuple[str, set[str], tuple[str, str | None]]]:
        """List the stops of a cable along its line: place, boxes, and what an end is."""
        row = self.cables[code]
        first, last = row["cb_nd1"], row["cb_nd2"]
        at = {
            first: {self.end[code, 1][1]} if self.end[code, 1][0] == "box" else set(),
            last: {self.end[code, 2][1]} if self.end[code, 2][0] == "box" else set(),
        }
        for c, where in self.touches:
            if c == code and where in self.box_node:
                at.setdefault(self.box_node[where], set()).add(where)
        between = sorted(set(at) - {first, last}, key=lambda n: self._along(code, n))
        kinds = {first: self.end[code, 1], last: self.end[code, 2]}
        return [(n, at[n], kinds.get(n, ("open", n))) for n in (first, *between, last)]

    def _along(self, code: str, node: str) -> float:
        one, two = (self.point[self.cables[code][name]] for name in ("cb_nd1", "cb_nd2"))
        length = np.linalg.norm(two - one)
        return float(np.clip(np.dot(self.point[node] - one, two - one) / length, 0, length))

    def _held(self) -> dict[tuple[str, str], set[tuple[str, int]]]:
        """Give the stretches (cable, number) that fail with each cable, way and place (D3, D9)."""
        held: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
        ends_of_way = {r["cm_code"]: {r["cm_ndcode1"], r["cm_ndcode2"]} for r in self.rows["cheminement"]}
        for code in self.cables:
            count = len(self.stops[code]) - 1
            held["cable", code] |= {(code, i) for i in range(count)}
            nodes = {self.cables[code]["cb_nd1"], self.cables[code]["cb_nd2"]}
            for link in self.rows["cab_chem"]:
                if link["cc_cb_code"] == code:
                    held["way", link["cc_cm_code"]] |= {(code, i) for i in range(count)}
                    nodes |= ends_of_way[link["cc_cm_code"]]
            marks = [self._along(code, stop[0]) for stop in self.stops[code]] if count > 1 else []
            for node in nodes:
                for i in range(count):
                    near = count == 1 or marks[i] - 0.5 <= self._along(code, node) <= marks[i + 1] + 0.5
                    if near:
                        held["node", node].add((code, i))
        return held

    def walk(self, fibre: str, targets: set[str]) -> tuple[list[tuple[str, str | None]], str] | None:
        """Follow a fibre to a drawer: the fibres met with the box after each, and the room."""
        path: list[tuple[str, str | None]] = []
        before = None
        while len(path) < 64:
            inside = sorted(self.drawers[fibre] & targets)
            if inside:
                return [*path, (fibre, None)], inside[0]
            onward = {f: b for f, b in reversed(self.splices[fibre]) if f != before}
            if len(onward) != 1:
                return None
            before = fibre
            ((fibre, where),) = onward.items()
            path.append((before, where))
        return None

    def chain(
        self, fibre: str, targets: set[str], start: tuple[str, str | None]
    ) -> tuple[frozenset[tuple[str, object]], str] | None:
        """Give all that a spliced route needs: stretches, boxes, places, and the room where it arrives."""
        walked = self.walk(fibre, targets)
        if walked is None:
            return None
        path, room = walked
        needs: set[tuple[str, object]] = set()
        behind = start
        for each, where in path:
            code = self.cable_of[each]
            if code not in self.cables:
                behind = ("box", where)
                continue
            down = self._stop_of(code, behind)
            up = self._stop_of(code, ("room", room) if where is None else ("box", where))
            if up == down:  # from one box to another of the same stop
                needs.add(("node", self.stops[code][down][0]))
                needs |= {("cable", code)} | ({("box", behind[1])} if behind[0] == "box" else set())
            step = 1 if up > down else -1
            for i in range(down, up, step):
                place, boxes, _ = self.stops[code][i]
                if not (i == down and behind[0] == "room"):
                    needs.add(("node", place))
                if i == down and behind[0] == "box":
                    needs.add(("box", behind[1]))
                elif len(boxes) == 1 and not (i == down and behind[0] == "room"):
                    needs.add(("box", next(iter(boxes))))
                needs.add(("stretch", (code, min(i, i + step))))
            behind = ("box", where)
        return (frozenset(needs), room) if needs else None

    def _stop_of(self, code: str, what: tuple[str, str | None]) -> int:
        for i, (_, boxes, kind) in enumerate(self.stops[code]):
            if what[0] == "box" and what[1] in boxes:
                return i
            if what[0] == "home" and kind == what:
                return i
            if what[0] == "room" and kind == what:
                return i
        return next(i for i, stop in enumerate(self.stops[code]) if stop[0] == self.room_node[what[1]])

    def vertex(self, layer: str, code: str, i: int, *, physical: bool) -> tuple:
        """Give the vertex of a stop in a graph."""
        place, boxes, kind = self.stops[code][i]
        if kind[0] == "home":
            return kind
        if kind[0] == "room" and (physical or not boxes):
            return self.room_vertex(layer, kind[1], physical=physical)
        if physical or not boxes:
            return ("place", layer, place)
        if len(boxes) == 1 and kind[0] != "room":
            return self.joint(layer, next(iter(boxes)), code)
        return ("stop", layer, code, i)

    def room_vertex(self, layer: str, room: str, *, physical: bool) -> tuple:
        """Give the vertex of a room: transport reaches a PM at its entry, unless splices say its route."""
        is_entry = not physical and layer == "transport" and self.nature[room] == "PM"
        return ("entry" if is_entry else "room", room)

    def joint(self, layer: str, box: str, code: str) -> tuple:
        """Give where a cable is joined in a box: apart when it has a splice there (D6)."""
        own = any(
            self.cable_of[f] == code and any(b == box and self.cable_of[g] in self.cables for g, b in others)
            for f, others in self.splices.items()
        )
        return ("joint", layer, box, code if own else None)

    def nominal_graph(self) -> nx.MultiGraph:
        """Lay cables, joints, rooms; edges carry what they need."""
        graph = nx.MultiGraph()
        graph.add_nodes_from([("room", r) for r in self.room_node] + [("entry", r) for r in self.room_node])
        joints: dict[tuple[str, str], set[tuple]] = defaultdict(set)
        for code, row in self.cables.items():
            for layer in sorted(LAYERS[row["cb_typelog"]]):
                for i in range(len(self.stops[code]) - 1):
                    ends = [self.vertex(layer, code, j, physical=False) for j in (i, i + 1)]
                    graph.add_edge(*ends, needs=("stretch", (code, i)))
                for i, (_, boxes, kind) in enumerate(self.stops[code]):
                    here = self.vertex(layer, code, i, physical=False)
                    there = {self.joint(layer, b, code): b for b in boxes if kind[0] != "home"}
                    for joint, box in there.items():
                        joints[layer, box].add(joint)
                    if here[0] == "stop":
                        graph.add_edges_from((here, joint) for joint in there)
                        if kind[0] == "room":
                            graph.add_edge(here, self.room_vertex(layer, kind[1], physical=False))
        for (layer, box), found in joints.items():
            self._join(graph, layer, box, found)
        for room, nature in self.nature.items():
            if nature == "PM":
                for needs, far in self.transport[room]:
                    graph.add_edge(("room", room), ("room", far), needs=("chain", needs))
                if not self.transport[room]:
                    graph.add_edge(("room", room), ("entry", room))
        return graph

    def _join(self, graph: nx.MultiGraph, layer: str, box: str, found: set[tuple]) -> None:
        """Join cables in a box: by splices, all those without splice, and those of the place with no box."""
        common, place = ("joint", layer, box, None), ("place", layer, self.box_node[box])
        if common in found or (layer == "distribution" and box in self.serving):
            graph.add_node(common)
            graph.add_edges_from((common, one) for one in found if one != common)
        for fibre, others in self.splices.items():
            for other, where in others:
                one, two = (("joint", layer, box, self.cable_of[f]) for f in (fibre, other))
                if where == box and one != two and {one, two} <= found:
                    graph.add_edge(one, two)
        if place in graph:
            graph.add_edges_from((place, one) for one in found)

    def physical_graph(self) -> nx.MultiGraph:
        """Lay what can be re-spliced; what is spliced today is there too."""
        graph = nx.MultiGraph()
        graph.add_nodes_from(("room", r) for r in self.room_node)
        for code, row in self.cables.items():
            for layer in sorted(LAYERS[row["cb_typelog"]]):
                for i in range(len(self.stops[code]) - 1):
                    ends = [self.vertex(layer, code, j, physical=True) for j in (i, i + 1)]
                    drop = self._network_box(code)
                    if drop is not None:
                        ends = [("pbo", drop) if v[0] == "place" else v for v in ends]
                    graph.add_edge(*ends, needs=("stretch", (code, i)))
                for i, (place, boxes, kind) in enumerate(self.stops[code]):
                    if kind[0] == "room" and boxes:  # opened in a box beside the room where it ends
                        graph.add_edge(("stop", layer, code, i), ("room", kind[1]))
                        graph.add_edge(("stop", layer, code, i), ("place", layer, place))
        for box in self.serving:
            graph.add_edge(("pbo", box), ("place", "distribution", self.box_node[box]))
        for room, chains in self.transport.items():
            for needs, far in chains:
                graph.add_edge(("room", room), ("room", far), needs=("chain", needs))
        return graph

    def _network_box(self, code: str) -> str | None:
        """Give the box at the network end of a drop."""
        ends = [self.end[code, n] for n in (1, 2)]
        if not any(kind == "home" for kind, _ in ends):
            return None
        return next((what for kind, what in ends if kind == "box"), None)

    def _trace(self) -> None:
        self.transport: dict[str, set[tuple[frozenset, str]]] = {r: set() for r in self.room_node}
        hubs = {r for r, nature in self.nature.items() if nature == "NRO"}
        for fibre in sorted(self.cable_of):
            for room in sorted(self.drawers[fibre]):
                if self.nature[room] == "PM" and self.cable_of[fibre] in self.cables:
                    found = self.chain(fibre, hubs, ("room", room))
                    if found is not None:
                        self.transport[room].add(found)
        self._seat()
        physical = self.physical_graph()
        self.feeds = set()
        for part in nx.connected_components(physical):
            rooms = {v[1] for v in part if v[0] == "room"}
            self.feeds |= (rooms & hubs) or rooms
        nominal = self.nominal_graph()
        nominal.add_edges_from(("feed", ("room", r)) for r in self.feeds)
        self.gaps: list[tuple[tuple, tuple]] = []
        self._close_gaps(nominal, physical)
        nominal.add_edges_from(self.gaps)
        self.reached = nx.node_connected_component(nominal, "feed") if self.feeds else {"feed"}
        self.nominal, self.physical = nominal, physical
        self._assign()

    def _seat(self) -> None:
        """Give each premise its drop (two a drop, the last takes the rest) and its PBO."""
        self.drop: dict[str, str] = {}
        self.pbo: dict[str, str] = {}
        for home in self.homes:
            drops = sorted(
                {c for c in self.cables for n in (1, 2) if self.end[c, n] == ("home", f"{c}@{home}")}
            )
            here = sorted(str(r["code"]) for r in self.rows["premise"] if r.get("nd_code") == home)
            for turn, code in enumerate(here if drops else []):
                self.drop[code] = drops[min(turn // 2, len(drops) - 1)]
        for row in self.rows["premise"]:
            code = str(row["code"])
            box = self._network_box(self.drop[code]) if code in self.drop else None
            found = box or row.get("bp_code")
            if found:
                self.pbo[code] = str(found)
        self.serving = set(self.pbo.values())

    def _close_gaps(self, nominal: nx.MultiGraph, physical: nx.MultiGraph) -> None:
        reached = nx.node_connected_component(nominal, "feed") if self.feeds else {"feed"}
        for part in nx.connected_components(physical):
            rooms = {v[1] for v in part if v[0] == "room"}
            if not rooms & self.feeds or all(("room", r) in reached for r in rooms):
                continue
            hubs = {v for v in part if v[0] == "place" and v[1] != "distribution"}
            for hub in sorted(hubs):
                stops = {
                    self.vertex(hub[1], code, i, physical=False)
                    for code, row in self.cables.items()
                    for i in range(len(self.stops[code]))
                    if hub[1] in LAYERS[row["cb_typelog"]]
                    and self.vertex(hub[1], code, i, physical=True) == hub
                }
                if not stops <= reached:
                    self.gaps += [(("gap", *hub[1:]), stop) for stop in sorted(stops, key=str)]

    def _assign(self) -> None:
        """Say where each prise stands, by splice, by cable, by zone."""
        self.where: dict[str, tuple] = {}
        self.far: dict[str, tuple] = {}
        self.how: dict[str, str] = {}
        rooms = set(self.room_node)
        codes = sorted(str(r["code"]) for r in self.rows["premise"])
        queue: dict[tuple, list] = defaultdict(list)
        for code in codes:
            by = ("drop", self.drop[code]) if code in self.drop else ("pbo", self.pbo.get(code))
            if by not in queue:
                queue[by] = self._lit(by, rooms)
            self.far[code] = self._far(code)
            found = queue[by].pop(0) if queue[by] else None
            if found and ("room", found[1]) in self.reached:
                self.where[code], self.how[code] = ("chain", *found), "splice"
                # what is spliced today exists, whatever the layers of its cables say
                self.physical.add_edge(self.far[code], ("room", found[1]), needs=("chain", found[0]))
        for code in codes:
            vertex = self._by_cable(code)
            if code not in self.how and vertex in self.reached:
                self.where[code], self.how[code] = vertex, "cable"
        self._by_zone(codes)

    def _lit(self, by: tuple, rooms: set[str]) -> list:
        if by[0] == "drop":
            home = next(e for e in (self.end[by[1], 1], self.end[by[1], 2]) if e[0] == "home")
            fibres = sorted(f for f, c in self.cable_of.items() if c == by[1])
            return [c for c in (self.chain(f, rooms, home) for f in fibres) if c]
        trunk = [f for f in self.waiting.get(by[1], ()) if self.cable_of[f] in self.cables]
        trunk = [f for f in trunk if all(self.end[self.cable_of[f], n][0] != "home" for n in (1, 2))]
        return [c for c in (self.chain(f, rooms, ("box", by[1])) for f in trunk) if c]

    def _far(self, code: str) -> tuple:
        if code in self.drop:
            return next(e for e in (self.end[self.drop[code], n] for n in (1, 2)) if e[0] == "home")
        return ("pbo", self.pbo.get(code))

    def _by_cable(self, code: str) -> tuple:
        if code in self.drop:
            return self.far[code]
        return ("joint", "distribution", self.pbo.get(code), None)

    def _by_zone(self, codes: list[str]) -> None:
        zone = {str(r["code"]): r.get("zp_code") for r in self.rows["premise"]}
        better = {zone[code] for code in self.how}
        for code in codes:
            if code in self.how or zone[code] is None:
                continue
            room = "R" + str(zone[code])[1:]
            if ("room", room) not in self.reached:
                continue
            if code in self.pbo:
                self.where[code] = self.far[code] = ("zone", room, self.pbo[code])
            elif zone[code] not in better:
                self.where[code] = self.far[code] = ("room", room)
            else:
                continue
            self.how[code] = "zone"

    def dead(self, kind: str, code: str) -> set[tuple[str, object]]:
        """List what fails with an asset: itself, the places, boxes, rooms and stretches of cable."""
        names = {"cheminement": "way", "local": "room", "ebp": "box", "cable": "cable"}
        if kind in names:
            gone: set[tuple[str, object]] = {(names[kind], code)}
        else:
            node = {"ptech": ("ptech", "pt_code", "pt_nd_code"), "site": ("site", "st_code", "st_nd_code")}
            if kind in node:
                table, key, column = node[kind]
                code = next(str(r[column]) for r in self.rows[table] if r[key] == code)
            gone = {("node", code)}
            gone |= {("box", b) for b, n in self.box_node.items() if n == code}
            gone |= {("room", r) for r, n in self.room_node.items() if n == code}
        return gone | {("stretch", s) for g in list(gone) for s in self.held.get(g, ())}

    def loss(self, *gone: tuple[str, str], physical: bool) -> int:
        """Count the prises out of reach once the assets are gone together."""
        dead: set[tuple[str, object]] = set().union(*(self.dead(kind, code) for kind, code in gone))
        graph = self.physical.copy() if physical else self.nominal.copy()
        graph.add_node("feed")
        graph.add_edges_from(("feed", ("room", r)) for r in self.feeds)
        edges = graph.edges(keys=True, data="needs")
        broken = [(a, b, k) for a, b, k, needs in edges if needs and self._broken(needs, dead)]
        graph.remove_edges_from(broken)
        graph.remove_nodes_from([v for v in graph if v != "feed" and self._gone(v, dead)])
        left = nx.node_connected_component(graph, "feed")
        stands = self.far if physical else self.where
        return sum(not self._served(code, stands[code], left, dead) for code in self.how)

    def _broken(self, needs: tuple, dead: set) -> bool:
        return needs in dead if needs[0] == "stretch" else bool(needs[1] & dead)

    def _gone(self, vertex: tuple, dead: set) -> bool:
        if vertex[0] in ("place", "gap"):
            return ("node", vertex[2]) in dead
        if vertex[0] == "joint":
            return ("box", vertex[2]) in dead or ("node", self.box_node[vertex[2]]) in dead
        if vertex[0] == "stop":
            return ("cable", vertex[2]) in dead or ("node", self.stops[vertex[2]][vertex[3]][0]) in dead
        if vertex[0] == "pbo":
            return ("box", vertex[1]) in dead or ("node", self.box_node[vertex[1]]) in dead
        if vertex[0] in ("room", "entry"):
            return ("room", vertex[1]) in dead
        return False

    def _served(self, code: str, vertex: tuple, left: set, dead: set) -> bool:
        if vertex[0] == "zone":
            return ("room", vertex[1]) in left and not self._gone(("pbo", vertex[2]), dead)
        own = self._network_box(self.drop[code]) if code in self.drop else None
        if own is not None and self._gone(("pbo", own), dead):
            return False  # its own box counts, whatever other boxes its drop is spliced in (D9)
        if vertex[0] == "chain":
            return not vertex[1] & dead and ("room", vertex[2]) in left
        return vertex in left


@settings(max_examples=draws(25))
@given(inventories(), st.data())
def test_every_loss_equals_remove_and_search(inventory: Inventory, data: st.DataObject) -> None:
    """Each asset alone, then pairs and larger groups that fail together."""
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    judge = Judge(inventory)
    traced = routes.prises[routes.prises["traced"] != ""].set_index("code")["traced"]
    assert traced.to_dict() == judge.how
    assert_losses(routes, network, judge.loss, data.draw(groups_of(len(network.assets))))
