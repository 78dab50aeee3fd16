"""What a synthetic network is made from: communes with their prises, NRO, injection points and a river."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gracethd.errors import SourceError

Protection = Literal["boucle", "fausse_boucle", "antenne"]
AreaVersion = Literal["2.0.1", "3.0.1", "mixed"]

PRISES_PER_NRO = 5274  # 680,300 prises over 129 NRO: Nord-Pas-de-Calais network, public reports 2024
PRISES_PER_COMMUNE = 590  # 680,300 prises over 1,153 communes, same source
PRISES_PER_PM = 550  # aimed at: with one PM a village at least, about 450 are met and 1,500 PM in all
_LOOP_LENGTH = 8  # NRO on one loop: assumption, 129 NRO make about a dozen loops
_COMMUNE_SPACING_M = 3300.0  # 12,000 km2 for about 1,150 communes


@dataclass(frozen=True)
class Commune:
    """A commune: where its centre stands and how many prises it has."""

    insee: str
    nom: str
    postal: str
    x: float
    y: float
    prises: int


@dataclass(frozen=True)
class Nro:
    """An NRO near (x, y), and how its collecte is protected.

    ``boucle``: a member of the chain that joins two injection points by disjoint legs. ``fausse_boucle``:
    two legs to two members, which share one trench (over a bridge where there is one). ``antenne``: one leg.
    """

    nom: str
    x: float
    y: float
    protection: Protection


@dataclass(frozen=True)
class Feed:
    """A site where an operator of national backbone injects its traffic."""

    nom: str
    operateur: str
    x: float
    y: float


@dataclass(frozen=True)
class Area:
    """A study area to be filled with an invented network.

    Attributes
    ----------
    nom : str
    epsg : int
        Of every coordinate; projected, in metres.
    version : {"2.0.1", "3.0.1", "mixed"}
        Version of the deliveries; mixed alternates them.
    prises_per_pm : int
    communes, nros, feeds : tuples
    river : tuple of (x, y)
        An invented line that streets cross on bridges only; may be empty.
    is_random : bool
        From `random_area`: nothing rests on its very faults, so that all kinds may be put in.
    """

    nom: str
    epsg: int
    version: AreaVersion
    prises_per_pm: int
    communes: tuple[Commune, ...]
    nros: tuple[Nro, ...]
    feeds: tuple[Feed, ...]
    river: tuple[tuple[float, float], ...]
    is_random: bool = False


def read_area(path: Path) -> Area:
    """Read an area file (TOML), as the one of ``data/exemple/area.toml``.

    Raises
    ------
    SourceError
        The file is absent, is not TOML, or a key is missing, unknown or of the wrong type; the message
        names the file, the key and what was expected.
    """
    try:
        with path.open("rb") as stream:
            raw = tomllib.load(stream)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); name an existing area file") from error
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{path}: not a TOML file: {error}") from error
    _check_keys(
        path,
        "the file",
        raw,
        {"nom", "epsg", "version", "prises_par_pm", "river", "communes", "nro", "feeds"},
    )
    if raw["version"] not in get_args(AreaVersion):
        raise SourceError(
            f"{path}: version = {raw['version']!r}; expected one of {', '.join(get_args(AreaVersion))}"
        )
    area = Area(
        nom=raw["nom"],
        epsg=raw["epsg"],
        version=raw["version"],
        prises_per_pm=raw["prises_par_pm"],
        communes=tuple(_record(path, "communes", row, Commune) for row in raw["communes"]),
        nros=tuple(_record(path, "nro", row, Nro) for row in raw["nro"]),
        feeds=tuple(_record(path, "feeds", row, Feed) for row in raw["feeds"]),
        river=tuple((float(x), float(y)) for x, y in raw["river"]),
    )
    _check(path, area)
    return area


def _check_keys(path: Path, where: str, found: Mapping[str, object], expected: set[str]) -> None:
    for wrong, word in ((expected - set(found), "missing"), (set(found) - expected, "unknown")):
        if wrong:
            raise SourceError(
                f"{path}: key {min(wrong)} {word} in {where}; expected {', '.join(sorted(expected))}"
            )


def _record(path: Path, where: str, row: Mapping[str, Any], kind: type[Any]) -> Any:  # noqa: ANN401 - any of the three
    names = {field.name: field.type for field in fields(kind)}
    _check_keys(path, where, row, set(names))
    for name, expected in names.items():
        given = row[name]
        number = isinstance(given, int | float) and not isinstance(given, bool)
        if (expected is float and not number) or (expected in (int, str) and not isinstance(given, expected)):
            raise SourceError(f"{path}: {where}.{name} = {given!r}; expected {expected.__name__}")
    return kind(**{name: float(row[name]) if kind is float else row[name] for name, kind in names.items()})


def _check(path: Path, area: Area) -> None:
    if not area.communes or not area.nros or not area.feeds:
        raise SourceError(f"{path}: at least one commune, one NRO and one feed are needed")
    for commune in area.communes:
        if commune.prises < 1:
            raise SourceError(
                f"{path}: communes.prises of {commune.insee} is {commune.prises}; expected 1 or more"
            )
    if len({commune.insee for commune in area.communes}) < len(area.communes):
        raise SourceError(f"{path}: two communes have the same insee code; codes must differ")
    for nro in area.nros:
        if nro.protection not in get_args(Protection):
            raise SourceError(
                f"{path}: nro.protection of {nro.nom} is {nro.protection!r}; "
                f"expected one of {', '.join(get_args(Protection))}"
            )
    if all(nro.protection != "boucle" for nro in area.nros):
        raise SourceError(f"{path}: no NRO has protection = 'boucle'; the collecte hangs on at least one")


def random_area(prises: int, *, seed: int = 1, version: AreaVersion = "mixed") -> Area:
    """Invent an area of about the density of the Nord-Pas-de-Calais network, with exactly `prises` prises.

    Communes stand on a shaken grid and share the prises by a log-normal law; one NRO serves about 5,300
    prises; of every ten NRO, seven are looped, two hang on a false loop, one on a spur (the share of true
    loops is an assumption). Codes and names are invented: INSEE codes start with S.
    """
    if prises < 1:
        raise SourceError(f"--prises {prises}: expected 1 or more")
    rng = np.random.default_rng([seed, 11])
    n = max(1, round(prises / PRISES_PER_COMMUNE))
    columns = int(np.ceil(np.sqrt(n)))
    rank = np.arange(n)
    row, column = rank // columns, rank % columns
    column = np.where(
        row % 2 == 0, column, columns - 1 - column
    )  # neighbours in rank are neighbours in space
    shake = rng.uniform(-0.22, 0.22, (n, 2))
    x = np.round(640_000 + (column + shake[:, 0]) * _COMMUNE_SPACING_M, 2)
    y = np.round(7_060_000 + (row + shake[:, 1]) * _COMMUNE_SPACING_M, 2)
    counts = _share(prises, np.exp(rng.normal(0, 0.7, n)))
    communes = tuple(
        Commune(
            f"S{i:04d}", f"Commune synthétique {i + 1}", "62999", float(x[i]), float(y[i]), int(counts[i])
        )
        for i in range(n)
    )
    nros, feeds = _random_collecte(communes, max(1, round(prises / PRISES_PER_NRO)))
    return Area(
        nom=f"Zone synthétique de {prises} prises",
        epsg=2154,
        version=version,
        prises_per_pm=PRISES_PER_PM,
        communes=communes,
        nros=nros,
        feeds=feeds,
        river=_meander(x, y),
        is_random=True,
    )


def _share(total: int, weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Split an integer by weights, each part at least 1 where the total allows."""
    floor = np.ones(len(weight), np.int64) if total >= len(weight) else np.zeros(len(weight), np.int64)
    exact = (total - floor.sum()) * weight / weight.sum()
    parts = np.floor(exact).astype(np.int64)
    rest = int(total - floor.sum() - parts.sum())
    parts[np.argsort(parts - exact, kind="stable")[:rest]] += 1
    shares: NDArray[np.int64] = parts + floor
    return shares


def _random_collecte(communes: tuple[Commune, ...], n: int) -> tuple[tuple[Nro, ...], tuple[Feed, ...]]:
    """Put an NRO in the largest commune of each of `n` groups of neighbours, and a feed every eight loops."""
    before = np.cumsum([0, *(commune.prises for commune in communes[:-1])])
    share = sum(commune.prises for commune in communes) / n
    first = np.searchsorted(before, np.arange(n) * share)
    first = np.maximum.accumulate(first - np.arange(n)) + np.arange(n)  # a commune each, at least
    first = np.minimum(first, len(communes) - n + np.arange(n))
    nros: list[Nro] = []
    for start, end in zip(first.tolist(), [*first[1:].tolist(), len(communes)], strict=True):
        members = communes[start:end]
        seat = max(members, key=lambda commune: (commune.prises, commune.insee))
        rank = len(nros) % 10
        protection: Protection = "fausse_boucle" if rank in {2, 6} else "antenne" if rank == 8 else "boucle"
        nros.append(Nro(f"NRO {seat.insee}", seat.x + 60, seat.y - 60, protection))
    looped = [nro for nro in nros if nro.protection == "boucle"]
    anchors = [*looped[::_LOOP_LENGTH], looped[-1]]
    feeds = tuple(
        Feed(f"POP {k + 1}", f"Opérateur {k + 1} (fictif)", nro.x + side * 1500, nro.y + side * 1300)
        for k, nro in enumerate(anchors)
        for side in (1 if k == len(anchors) - 1 else -1,)
    )
    return tuple(nros), feeds


def _meander(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    west, east, middle = x.min() - 3000, x.max() + 3000, float(np.median(y)) + 450
    along = np.arange(west, east, 150.0)
    across = middle + 350 * np.sin((along - west) / 1900)
    return tuple((round(float(a), 2), round(float(b), 2)) for a, b in zip(along, across, strict=True))
