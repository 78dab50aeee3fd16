"""Draws give the same bytes here, in processes and on a cluster, in any blocks; they stop when tight."""

import io
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pytest

from gracethd.service import ServiceGraph
from resilience.loss import Until, event_losses, network_loss
from resilience.loss.means import NORMAL_95
from resilience.loss.workers import Here, Workers, WorkersError, cluster, processes
from tests.resilience.loss_cases import NO_RATES, chain, failures, keys

ROWS = [
    (asset, years, "water", 0.4, hours)
    for asset, hours in enumerate([168.0, 24.0, 168.0, 24.0, 9.0])
    for years in (20, 100)
]


@pytest.fixture
def tree() -> ServiceGraph:
    return chain()


def drawn(tree: ServiceGraph, workers: Workers | None = None, draws: int = 600) -> pd.DataFrame:
    return event_losses(tree, failures(ROWS), asset_keys=keys(5), seed=1, draws=draws, workers=workers)


def bytes_of(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_parquet(stream)
    return stream.getvalue()


def test_processes_and_small_blocks_give_the_same_bytes(
    tree: ServiceGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = bytes_of(drawn(tree))
    monkeypatch.setattr("resilience.loss.events.BYTES_PER_FAILURE", 5_000)
    assert bytes_of(drawn(tree, Here(memory_mb=1))) == expected  # blocks of a hundred draws
    with processes(2, memory_mb=1) as workers:
        assert bytes_of(drawn(tree, workers)) == expected
        # the plan's own losses, and the same processes for another problem
        given = {"asset_keys": keys(5), "seed": 1, "draws": 600}
        here, there = (
            network_loss(tree, failures(ROWS), NO_RATES, **given, workers=one) for one in (None, workers)
        )
        assert bytes_of(here) == bytes_of(there)
        other = event_losses(tree, failures(ROWS[:4]), asset_keys=keys(5), seed=1, draws=600, workers=workers)
    assert bytes_of(other) == bytes_of(
        event_losses(tree, failures(ROWS[:4]), asset_keys=keys(5), seed=1, draws=600)
    )


def test_draws_go_on_until_each_event_is_tight(tree: ServiceGraph) -> None:
    table = failures([*ROWS, (1, 1000, "water", 1.0, 24.0)])
    until = Until(half_width=0.05, max_draws=100_000)
    got = event_losses(tree, table, asset_keys=keys(5), seed=1, draws=50, until=until)
    half_width = NORMAL_95 * got["prises_h_se"] / got["prises_h_mean"]
    assert (half_width <= 0.05).all()
    by_event = got.set_index("scenario")["draws"]
    assert by_event["Q1000"] == 50  # certain: tight at once
    assert by_event["Q20"] > 50
    for scenario, draws in by_event.items():
        # not one round more than needed, and the numbers of as many draws asked for at once
        rows = table[table["scenario"] == scenario]
        at_once = event_losses(tree, rows, asset_keys=keys(5), seed=1, draws=int(draws))
        pd.testing.assert_frame_equal(at_once, got[got["scenario"] == scenario].reset_index(drop=True))
        if draws > 50:
            before = event_losses(tree, rows, asset_keys=keys(5), seed=1, draws=int(draws) // 2)
            assert (NORMAL_95 * before["prises_h_se"] > 0.05 * before["prises_h_mean"]).all()
    capped = event_losses(
        tree, table, asset_keys=keys(5), seed=1, draws=50, until=Until(half_width=1e-9, max_draws=120)
    )
    assert capped.set_index("scenario")["draws"].to_dict() == {"Q20": 120, "Q100": 120, "Q1000": 50}


def test_a_process_that_dies_is_told_with_the_cure(
    tree: ServiceGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resilience.loss.workers._stored_costs", suicide)
    with processes(2) as workers, pytest.raises(WorkersError, match=r"killed.*loss\.memory_mb"):
        drawn(tree, workers)


def suicide(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_no_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one worker"), processes(0):
        pass


def test_a_cluster_that_does_not_answer_is_told() -> None:
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    no_answer = pytest.raises(WorkersError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9")
    with no_answer, cluster("tcp://127.0.0.1:9"):
        pass


@pytest.fixture
def scheduler() -> Iterator[object]:
    distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=None
    ) as local:
        yield local


def blocks_of_ten(_: object, draws: range, **__: object) -> Sequence[range]:
    return [range(first, min(first + 10, draws.stop)) for first in range(draws.start, draws.stop, 10)]


@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_bytes(
    tree: ServiceGraph, scheduler: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = bytes_of(drawn(tree))
    monkeypatch.setattr("resilience.loss.means.blocks_of", blocks_of_ten)
    with cluster(str(scheduler.scheduler_address)) as workers:  # type: ignore[attr-defined]
        assert bytes_of(drawn(tree, workers)) == expected


@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_changes_no_byte(
    tree: ServiceGraph, scheduler: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two workers is killed while 4,000 blocks run; its nanny starts another."""
    expected = bytes_of(drawn(tree, draws=20_000))
    monkeypatch.setattr("resilience.loss.means.blocks_of", blocks_of_ten)
    pids = [worker.pid for worker in scheduler.workers.values()]  # type: ignore[attr-defined]
    killed = []

    def kill() -> None:
        tasks = scheduler.scheduler.tasks  # type: ignore[attr-defined]
        while sum(task.state == "memory" for task in list(tasks.values())) < 50:
            time.sleep(0.02)
        os.kill(pids[0], signal.SIGKILL)
        killed.append(time.monotonic())

    with cluster(str(scheduler.scheduler_address)) as workers:  # type: ignore[attr-defined]
        thread = threading.Thread(target=kill)
        thread.start()
        got = bytes_of(drawn(tree, workers, draws=20_000))
        finished = time.monotonic()
        thread.join()
    assert killed
    assert killed[0] < finished, "the run ended before the worker was killed"
    assert got == expected


def test_a_mean_of_zero_is_tight(tree: ServiceGraph) -> None:
    rows = failures([(3, 20, "water", 0.0, 9.0)])
    got = event_losses(
        tree, rows, asset_keys=keys(5), seed=1, draws=10, until=Until(half_width=0.01, max_draws=1000)
    )
    assert got["draws"].tolist() == [10]
    assert np.isfinite(got["prises_h_se"]).all()
