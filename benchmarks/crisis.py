"""One crisis at the size of a network: ``python benchmarks/crisis.py STORE [FAILED] [CREWS]``.

FAILED assets (500) drawn among poles, ways and boxes, CREWS crews (20) and a stock. Reading, building and
tracing are told apart: they do not depend on the crisis. Aim at 680,300 prises: 10 s and 4 GB on two cores.
"""

import resource
import sys
import tempfile
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from gracethd.network import build_network
from gracethd.reading import read
from gracethd.routes import trace_routes
from resilience.crisis import play
from resilience.outputs.scenario_files import write_scenario
from resilience.study import load_study

AIM_S, AIM_GB = 10.0, 4.0


def peak_gb() -> float:
    """Give the peak of resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(store: str, failed: int, n_crews: int) -> None:
    """Time one scenario, cold and warm."""
    begun = time.perf_counter()
    inventory = read([store])
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    print(f"read, built and traced in {time.perf_counter() - begun:.0f} s, {peak_gb():.1f} GB")
    assets = network.assets
    kinds = assets.index[assets["kind"].isin(["ptech", "cheminement", "ebp"])]
    chosen = assets.loc[np.random.default_rng(5).choice(kinds, failed, replace=False)]
    objects = ", ".join(f'"{kind}:{code}"' for kind, code in zip(chosen["kind"], chosen["code"], strict=True))
    x, y = chosen.geometry.centroid.x.to_numpy(), chosen.geometry.centroid.y.to_numpy()
    rows = [("equipe", 1, x[i], y[i]) for i in range(n_crews)] + [("poteau", 10_000, 0, 0)]
    table = pd.DataFrame(rows, columns=["type", "nombre", "depot_x", "depot_y"])
    tables = {"ressources": table.assign(competence="", delai_h=0.0)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "etude.toml"
        path.write_text(
            f'inventory = ["{Path(store).resolve()}"]\n'
            f"[scenarios.essai]\nfailures = [{{objects = [{objects}]}}]\n",
            encoding="utf-8",
        )
        study = load_study(path)
        for name in ("first run", "second run"):
            begun, used = time.perf_counter(), time.process_time()
            said: list[tuple[str, float]] = []
            played = play(
                study, "essai", network, routes, tables, day=date(2026, 1, 1),
                say=lambda what, said=said: said.append((what, time.perf_counter())),  # type: ignore[misc]
            )  # fmt: skip
            said.append(("", time.perf_counter()))
            write_scenario(played, Path(folder) / name, day=date(2026, 1, 1))
            wall, spent = time.perf_counter() - begun, time.process_time() - used
            print(
                f"{name}: {wall:.1f} s wall, {spent:.1f} s processor, {peak_gb():.1f} GB with the network;"
                f" aim {AIM_S:.0f} s {'met' if wall < AIM_S else 'NOT MET'},"
                f" {AIM_GB:.0f} GB {'met' if peak_gb() < AIM_GB else 'NOT MET'}"
            )
            print("  " + ", ".join(f"{what} {to - at:.1f} s" for (what, at), (_, to) in pairwise(said)))
        print(f"  {played.summary}")


if __name__ == "__main__":
    n_failed, n_crews = [int(word) for word in sys.argv[2:4]] + [500, 20][len(sys.argv) - 2 :]
    main(sys.argv[1], n_failed, n_crews)
