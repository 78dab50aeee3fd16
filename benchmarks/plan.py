"""Many options on one network: ``python benchmarks/plan.py STORE [OPTIONS] [DRAWS]``.

OPTIONS works (10,000) drawn among lines, closures, rooms and second paths, three floods that reach one object
in twenty, and rates on every way. Aims: the effects of all options alone in at most 20 times one pass of the
annual loss; bundles within 1 % of the bound of the linear programme, in at most 10 times its time.
"""

import resource
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.network import build_network
from gracethd.network.types import Network
from gracethd.reading import read
from gracethd.routes import trace_routes
from gracethd.routes.types import Routes
from resilience.choice import Limits, alone, bound_of, bundle_greedy, sampled_model
from resilience.loss import Sampling, keys_of_assets, network_loss
from resilience.measures import Candidates, Link, Situation
from resilience.parameters import LEVELS

EVENTS = [("crue", "Q20", 20.0), ("crue", "Q100", 100.0), ("crue", "Q1000", 1000.0)]
HOURS = {"local": 168.0, "ebp": 9.0, "cheminement": 24.0}
NO_WATER = pd.DataFrame({"hazard": [], "scenario": [], "return_period": [], "wet_m": []})


def situation(network: Network, routes: Routes, random: np.random.Generator) -> Situation:
    """Flood one room, closure and way in twenty, and give every way and room a rate."""
    kinds = network.assets["kind"]
    able = np.flatnonzero(kinds.isin(HOURS).to_numpy())
    wet = random.choice(able, len(able) // 20, replace=False)
    events = pd.DataFrame(EVENTS, columns=["hazard", "scenario", "return_period"])
    rows = pd.DataFrame({"asset": np.sort(wet).astype(np.int32), "mechanism": "flood"})
    rows = rows.assign(repair_h=kinds.iloc[rows["asset"]].map(HOURS).to_numpy(), fails_with="")
    failures = rows.merge(events, how="cross")
    failures = failures.assign(p=0.02 + 0.1 * (failures["return_period"] >= 1000))
    rated = np.flatnonzero(kinds.isin(["cheminement", "local"]).to_numpy()).astype(np.int32)
    rates = pd.DataFrame({"asset": rated, "mechanism": "dig", "rate_per_year": 0.001, "repair_h": 12.0})
    rates = rates.assign(length_m=0.0, is_assumed=False)
    return Situation(routes.nominal, keys_of_assets(network.assets), failures, rates)


def options(today: Situation, routes: Routes, n: int, random: np.random.Generator) -> Candidates:
    """Draw works: nine in ten make one object fail no more, one in ten joins a PM to its NRO once more."""
    rooms = routes.rooms[routes.rooms["vertex_nominal"] >= 0]
    nros = rooms[rooms["nature"] == "NRO"].set_index("code")["vertex_nominal"]
    pms = rooms[(rooms["nature"] == "PM") & rooms["nro"].isin(nros.index)]
    pms = pms.sample(min(n // 10, len(pms)), random_state=1)
    none = np.empty(0, np.int32)
    links = {
        number: Link(int(vertex), int(nros[nro]), np.sort(nros.to_numpy()), none, none, 500.0, NO_WATER)
        for number, (vertex, nro) in enumerate(zip(pms["vertex_nominal"], pms["nro"], strict=True))
    }  # fmt: skip
    known = np.union1d(today.failures["asset"], today.rates["asset"])
    treated = np.sort(random.choice(known, n - len(links), replace=False))
    owner = pd.Series(np.arange(len(links), n), index=treated)
    failures, rates = (
        table[table["asset"].isin(treated)].assign(
            measure=lambda rows: rows["asset"].map(owner).astype(np.int64), **{column: 0.0}
        )
        for table, column in ((today.failures, "p"), (today.rates, "rate_per_year"))
    )
    cost = random.lognormal(9.5, 0.8, n)
    measures = gpd.GeoDataFrame(
        {"action_id": [f"o{i}" for i in range(n)], "cost_eur_central": cost}, geometry=[None] * n
    )
    no_pair = np.empty((0, 2), np.int64)
    return Candidates(
        measures, dict.fromkeys(LEVELS, failures), dict.fromkeys(LEVELS, rates), links, no_pair, no_pair, {}
    )


def main(store: str, n_options: int, draws: int) -> None:
    """Print times, ratios and the gap."""
    inventory = read([store])
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    random = np.random.default_rng(4)
    today = situation(network, routes, random)
    works = options(today, routes, n_options, random)
    sampling = Sampling(1, draws)
    small = Sampling(1, 2)
    sampled_model(today, works, "central", small)  # compiles
    begun = time.perf_counter()
    loss = network_loss(
        today.graph, today.failures, today.rates, asset_keys=today.asset_keys, seed=1, draws=draws
    )["prises_h_per_year"].sum()
    one_pass = time.perf_counter() - begun
    begun = time.perf_counter()
    model = sampled_model(today, works, "central", sampling)
    single = alone(model)
    effects = time.perf_counter() - begun
    print(f"{routes.nominal.prises.sum():,} prises, {n_options:,} options, {draws} draws; loss {loss:,.0f}")
    print(
        f"one loss {one_pass:.1f} s; effects of all {effects:.1f} s, ratio {effects / one_pass:.1f} (aim 20)"
    )
    print(f"{len(model.weight):,} needs, {len(model.cure):,} cures of routes; best alone {single.max():,.1f}")
    limits = Limits(works.measures["cost_eur_central"].to_numpy(), 2e6)
    bundle_greedy(model, Limits(limits.cost_eur, 1.0))
    begun = time.perf_counter()
    taken = bundle_greedy(model, limits)
    greedy = time.perf_counter() - begun
    begun = time.perf_counter()
    bound = bound_of(model, limits)
    solved = time.perf_counter() - begun
    value = model.value(taken)
    print(
        f"bundles {greedy:.2f} s, {taken.sum()} works, {value:,.0f} prises·h; bound {bound:,.0f} in"
        f" {solved:.2f} s: gap {1 - value / bound:.2%} (aim 1 %), time ratio {greedy / solved:.1f} (aim 10)"
    )
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[2:]]
    main(sys.argv[1], *numbers, *(10_000, 1000)[len(numbers) :])
