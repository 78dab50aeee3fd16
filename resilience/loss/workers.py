"""Where draws are evaluated: here, in processes of this machine, or on a Dask cluster.

For runs whose draws take long. A block of draws is a pure function of the problem and of the numbers of its
draws, and blocks are put together in the order of those numbers: results are the same bytes wherever, in how
many blocks and in which order they were computed.

Processes share the problem as memory-mapped files, read once from disk and held once in memory. A cluster
gets it through the network, once a worker, and computes again the blocks of a worker that dies. Dask runs
whatever a client sends it, as its own user: a scheduler must be reachable from trusted machines only.
"""

import mmap
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gracethd.errors import GraceTHDError
from resilience.loss.draws import Float
from resilience.loss.events import MEMORY_MB, Event, sample_block
from resilience.losses import LossIndex

if TYPE_CHECKING:
    from distributed import Client

Costs = tuple[NDArray[np.int64], Float]
Block = tuple[int, range]
"""Number of an event, and numbers of some of its draws."""


class WorkersError(GraceTHDError):
    """Draws that could not be evaluated elsewhere; the message says why, and the cure."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A network and the events that are drawn on it.

    Attributes
    ----------
    index : LossIndex
    events : tuple of Event
    """

    index: LossIndex
    events: tuple[Event, ...]


class Workers(Protocol):
    """What evaluates blocks of draws.

    Attributes
    ----------
    memory_mb : int
        For the draws of one block, in each worker.
    """

    memory_mb: int

    def costs(self, problem: Problem, blocks: Sequence[Block]) -> list[Costs]:
        """Give prises down and prises·h, (n_draws, k) each, of each block, in the order of `blocks`."""
        ...


class Here:
    """Evaluates blocks one after the other, in this process."""

    def __init__(self, memory_mb: int = MEMORY_MB) -> None:
        self.memory_mb = memory_mb

    def costs(self, problem: Problem, blocks: Sequence[Block]) -> list[Costs]:
        """Give what `Workers.costs` says."""
        return [_costs(problem, block) for block in blocks]


HERE = Here()


class Processes:
    """Evaluates blocks in processes of this machine; `processes` opens and closes them."""

    def __init__(self, pool: ProcessPoolExecutor, folder: Path, memory_mb: int) -> None:
        self._pool, self._folder, self.memory_mb = pool, folder, memory_mb
        self._problem: Problem | None = None
        self._stored = 0

    def costs(self, problem: Problem, blocks: Sequence[Block]) -> list[Costs]:
        """Give what `Workers.costs` says."""
        if problem is not self._problem:
            # nobody asks for the one before: a plan has many problems, and a disk is not endless
            shutil.rmtree(self._folder / str(self._stored), ignore_errors=True)
            self._problem, self._stored = problem, self._stored + 1
            _store(problem, self._folder / str(self._stored))
        place = str(self._folder / str(self._stored))
        try:
            futures = [self._pool.submit(_stored_costs, place, block) for block in blocks]
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise WorkersError(
                "a process that evaluates draws was killed, most often for lack of memory; lower"
                " loss.memory_mb or loss.workers and run again"
            ) from error


class Cluster:
    """Evaluates blocks on a Dask cluster; `cluster` opens and closes the connection."""

    def __init__(self, client: "Client", memory_mb: int) -> None:
        self._client, self.memory_mb = client, memory_mb
        self._problem: Problem | None = None
        self._sent: object = None

    def costs(self, problem: Problem, blocks: Sequence[Block]) -> list[Costs]:
        """Give what `Workers.costs` says."""
        if problem is not self._problem:
            # as the result of a task, which the scheduler gives again when the worker that held it dies;
            # data scattered to workers would be lost with them
            self._problem, self._sent = problem, self._client.submit(_sent, problem, pure=False)
        futures = [self._client.submit(_costs, self._sent, block, pure=False) for block in blocks]
        try:
            return [future.result() for future in futures]  # in the order of blocks, not of completion
        except Exception as error:  # what a cluster raises is anything that any of its machines raised
            raise WorkersError(
                f"the Dask cluster did not finish ({type(error).__name__}: {error})"
            ) from error
        finally:
            self._client.cancel(futures)


@contextmanager
def processes(number: int, *, memory_mb: int = MEMORY_MB) -> Iterator[Workers]:
    """Open `number` processes, each with `memory_mb` for its draws; with one, all is evaluated here.

    Scripts that call this need ``if __name__ == "__main__":``, since processes are started anew (spawn).

    Examples
    --------
    >>> with processes(1) as workers:
    ...     type(workers).__name__
    'Here'
    """
    if number < 1:
        raise ValueError(f"at least one worker is needed, not {number}")
    if number == 1:
        yield Here(memory_mb)
        return
    with (
        tempfile.TemporaryDirectory(prefix="resilience-") as folder,
        ProcessPoolExecutor(number, mp_context=get_context("spawn")) as pool,
    ):
        yield Processes(pool, Path(folder), memory_mb)


@contextmanager
def cluster(address: str, *, memory_mb: int = MEMORY_MB) -> Iterator[Workers]:
    """Connect to the scheduler of a Dask cluster whose machines have this package.

    Parameters
    ----------
    address : str
        Like ``tcp://10.0.0.5:8786``, on a trusted network.

    Raises
    ------
    WorkersError
        Without the extra ``cluster``, or when no scheduler or no worker answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise WorkersError("a cluster needs the extra 'cluster': install gracethd[cluster]") from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise WorkersError(f"no Dask scheduler answers at {address}; check the address") from error
    with client:
        if not client.nthreads():
            raise WorkersError(f"the Dask scheduler at {address} has no worker; start some")
        yield Cluster(client, memory_mb)


def _costs(problem: Problem, block: Block) -> Costs:
    event, draws = block
    sample = sample_block(problem.index, problem.events[event], draws)
    return sample.down, sample.hours


def _sent(problem: Problem) -> Problem:
    return problem


def _stored_costs(folder: str, block: Block) -> Costs:
    return _costs(_opened(folder), block)


def _store(problem: Problem, folder: Path) -> None:
    """Write a problem so that its arrays can be mapped: its pickle, and each array in a file of its own."""
    folder.mkdir(mode=0o700)
    arrays: list[pickle.PickleBuffer] = []
    head = pickle.dumps(problem, protocol=5, buffer_callback=arrays.append)
    (folder / "head").write_bytes(head)
    for number, array in enumerate(arrays):
        with (folder / str(number)).open("wb") as stream:
            stream.write(array.raw())


@lru_cache(maxsize=1)
def _opened(folder: str) -> Problem:
    """Open a stored problem; arrays are mapped copy-on-write, so that all processes share their pages."""
    paths = sorted((p for p in Path(folder).iterdir() if p.name != "head"), key=lambda p: int(p.name))
    arrays = [_mapped(path) for path in paths]
    # written by this run, in a folder of its own that no other user can open
    problem: Problem = pickle.loads((Path(folder) / "head").read_bytes(), buffers=arrays)  # noqa: S301
    return problem


def _mapped(path: Path) -> mmap.mmap | bytearray:
    if path.stat().st_size == 0:
        return bytearray()  # an empty file cannot be mapped
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
    finally:
        os.close(descriptor)
