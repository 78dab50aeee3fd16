"""Time the optical routes of a network against a walk of one fibre after the other, on the size given.

    python benchmarks/routes.py [PRISES]

The network is that of `gracethd synth`, written as deliveries and read back. The other way keeps splices in
a networkx graph and follows, prise by prise, the fibres of its drop or those that wait in its PBO, to a
drawer: it finds fibres only, no cable, length, transport or status. It is held against the same work here
(positions read, fibres walked and handed out); the whole of `optical_routes` is printed beside. Both ways
must give each prise the same fibres. Ratios are what lasts; seconds are those of this machine's processor.
"""

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import networkx as nx
import pandas as pd

from gracethd.inventory import Inventory
from gracethd.network import build_network
from gracethd.network.fibres import read_fibres
from gracethd.reading import read
from gracethd.routes import optical_routes
from gracethd.routes.splices import fibres_to_hand_out, hand_out
from gracethd.routes.survey import survey_network
from gracethd.routes.trace import Laid, lay_routes
from gracethd.routes.trails import claimants
from gracethd.synth import random_area, synthesise, write_synth

Fibres = dict[str, list[str]]


def synthetic(n_prises: int) -> Inventory:
    """Invent a network of version 3, write it and read it."""
    with tempfile.TemporaryDirectory() as folder:
        network = synthesise(random_area(n_prises, seed=1, version="3.0.1"), seed=1, faults=0.0)
        write_synth(network, Path(folder))
        return read(sorted((Path(folder) / "livraisons").glob("*.zip")))


def splices_of(inventory: Inventory) -> tuple[nx.Graph, dict[str, str], dict[str, list[str]]]:
    """Put splices in a graph; list the room of each fibre in a drawer and the fibres waiting in each box."""
    box_of = inventory["cassette"].set_index("cs_code")["cs_bp_code"].to_dict()
    rack_of = inventory["tiroir"].set_index("ti_code")["ti_ba_code"].to_dict()
    room_of = inventory["baie"].set_index("ba_code")["ba_lc_code"].to_dict()
    graph, drawer, waiting = nx.Graph(), {}, defaultdict(list)
    for row in inventory["position"].sort_values("ps_code").to_dict("records"):
        ends = [row[name] for name in ("ps_1", "ps_2") if not pd.isna(row[name])]
        if not pd.isna(row["ps_ti_code"]):
            for fibre in ends:
                drawer[fibre] = room_of[rack_of[row["ps_ti_code"]]]
        elif len(ends) == 2:
            graph.add_edge(*ends)
        elif ends and row["ps_fonct"] == "AT":
            waiting[box_of[row["ps_cs_code"]]].append(ends[0])
    return graph, drawer, waiting


def walk(graph: nx.Graph, drawer: dict[str, str], fibre: str) -> list[str] | None:
    """Follow a fibre to a drawer; None where nothing or more than one thing follows."""
    path = [fibre]
    while path[-1] not in drawer:
        onward = [other for other in graph.adj.get(path[-1], ()) if other not in path[-2:]]
        if len(onward) != 1 or len(path) > 64:
            return None
        path.append(onward[0])
    return path


def one_by_one(inventory: Inventory, prises: pd.DataFrame, drops: dict[str, str]) -> Fibres:
    """Give the fibres of each prise, from its own to the drawer."""
    graph, drawer, waiting = splices_of(inventory)
    of_cable = defaultdict(list)
    for fibre, cable in zip(inventory["fibre"]["fo_code"], inventory["fibre"]["fo_cb_code"], strict=True):
        of_cable[cable].append(fibre)
    left: dict[str, list[list[str]]] = {}
    found = {}
    for code, pbo in zip(prises["code"], prises["pbo"], strict=True):
        by = drops.get(code, pbo)
        if by not in left:
            starts = of_cable[by] if code in drops else waiting[by]
            left[by] = [path for fibre in starts if (path := walk(graph, drawer, fibre))]
        if left[by]:
            found[code] = left[by].pop(0)
    return found


def of_hops(hops: pd.DataFrame) -> Fibres:
    """Read the fibres of each spliced prise off its first route, from its own to the drawer of its PM."""
    hops = hops.astype(dict.fromkeys(["route", "prise", "fibre"], str))
    spliced = hops[(hops["traced"] == "splice") & hops["route"].str.endswith("/1")].iloc[::-1]
    below = spliced[(spliced["room"] != "").groupby(spliced["route"]).cumsum() == 0]
    below = below[below["fibre"] != ""].drop_duplicates(["route", "fibre"])
    return {str(prise): list(group) for prise, group in below.groupby("prise")["fibre"]}


def fibres_only(inventory: Inventory, laid: Laid) -> int:
    """Read positions, walk and hand out fibres as tracing does; give the number of prises served."""
    fibres = read_fibres(inventory, laid.places)
    survey = survey_network(laid.network, laid.places, fibres, laid.survey.nodes)
    handed = [hand_out(survey, *each) for each in fibres_to_hand_out(survey, claimants(laid))]
    return sum(len(served) for served, _, _ in handed)


def main(n_prises: int) -> None:
    """Print times, the ratio, and stop where the two ways disagree."""
    small = synthetic(300)
    fibres_only(small, lay_routes(small, build_network(small), None))  # compiles
    optical_routes(small, build_network(small))
    inventory = synthetic(n_prises)
    network = build_network(inventory)
    begin = time.process_time()
    optical = optical_routes(inventory, network)
    whole = time.process_time() - begin
    laid = lay_routes(inventory, network, None)
    begin = time.process_time()
    walked = fibres_only(inventory, laid)
    ours = time.process_time() - begin
    prises = optical.routes.prises
    prises = prises[(prises["reason"] == "") & (prises["n"] == 1)]
    outlets = optical.hops.assign(above=optical.hops["cable"].shift())
    outlets = outlets[outlets["hop"] == "pto"].drop_duplicates("prise")
    drops = dict(zip(outlets["prise"].astype(str), outlets["above"].astype(str), strict=True))
    begin = time.process_time()
    theirs = one_by_one(inventory, prises, drops)
    spent = time.process_time() - begin
    if theirs != of_hops(optical.hops):
        raise SystemExit("the two ways disagree")
    n = len(theirs)
    if walked != n:
        raise SystemExit(f"{walked} prises by splice here, {n} there")
    print(f"{len(optical.routes.prises):,} prises, {len(optical.hops):,} hops, {n:,} prises by splice")
    print(f"fibres only, one by one              {spent:8.2f} s")
    print(f"fibres only, here                    {ours:8.2f} s   {spent / ours:.1f} times faster")
    each = whole / len(optical.routes.prises) * 1e6
    print(f"optical_routes, every hop named      {whole:8.2f} s   {each:.0f} µs a prise")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
