"""What a store says of itself: format, coordinate system, and the columns, types and rows of each table.

Both forms of a store carry the same manifest. A store is opened by it: what is missing, damaged, or of
another version of this package is an error before anything is analysed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
from pyproj.exceptions import CRSError as ProjError

from gracethd.encoding import mapped
from gracethd.errors import SourceError
from gracethd.findings import COLUMNS
from gracethd.inventory import Inventory, no_person
from gracethd.normalise import TABLES

FORMAT = 2
"""Raised when what is written can no longer be read by a gracethd of before; 2 brought what is carried."""

_DTYPES = frozenset({"str", "float64", "int64", "bool", "datetime64[s]", "geometry", "category"})
_CARRIED, _PERSONAL = "carried_", "personal"
_DELIVERIES = ("delivery", "sha256", "size_bytes", "versions", "n_rows", "replaced_by")
_WORDS = {
    "noeud": "Nœuds", "site": "Sites", "local": "Locaux techniques", "premise": "Prises",
    "adresse": "Adresses", "ptech": "Chambres et appuis", "ebp": "Boîtes et PBO",
    "baie": "Baies", "tiroir": "Tiroirs",
    "cassette": "Cassettes", "cable": "Câbles", "fibre": "Fibres", "position": "Positions",
    "cheminement": "Cheminements", "conduite": "Conduites", "cab_cond": "Câbles par conduite",
    "cond_chem": "Conduites par cheminement", "cab_chem": "Câbles par cheminement", "znro": "Zones de NRO",
    "zsro": "Zones de PM", "zpbo": "Zones de PBO", "organisme": "Organismes", "deliveries": "Livraisons lues",
    "findings": "Constats de lecture", "personal": "Données personnelles",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """One stored table: its columns in order with their dtypes, its rows, the digest of its file if any."""

    columns: tuple[tuple[str, str], ...]
    rows: int
    sha256: str = ""

    @property
    def names(self) -> list[str]:
        """Columns in order."""
        return [name for name, _ in self.columns]

    @property
    def geometry(self) -> bool:
        """Whether the table has places."""
        return any(dtype == "geometry" for _, dtype in self.columns)


@dataclass(frozen=True)
class Manifest:
    """What a store holds: coordinate system of every table, and the shape of each by name."""

    crs: pyproj.CRS
    shapes: Mapping[str, Shape]


def frames_of(inventory: Inventory) -> dict[str, pd.DataFrame]:
    """Give all that a store keeps, by name: tables, ``deliveries``, ``findings``, what is handed over."""
    carried = {f"{_CARRIED}{name}": frame for name, frame in inventory.carried.items()}
    told = {"deliveries": inventory.deliveries, "findings": inventory.findings}
    personal = {_PERSONAL: inventory.personal} if len(inventory.personal) else {}
    return {**inventory.tables, **told, **carried, **personal}


def texts_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame without encoded columns, for forms of a store that know only text."""
    coded = [name for name, dtype in frame.dtypes.items() if str(dtype) == "category"]
    return frame.assign(**{str(name): frame[name].astype("str") for name in coded}) if coded else frame


def title_of(name: str) -> str:
    """Give the French title of a stored table."""
    if name.startswith(_CARRIED):
        return f"Autres attributs livrés : {title_of(name.removeprefix(_CARRIED))}"
    return _WORDS.get(name, name)


def shape_of(frame: pd.DataFrame, *, sha256: str = "") -> Shape:
    """Describe a frame that is about to be stored.

    Raises
    ------
    TypeError
        A column of a dtype that a store does not give back as it was.
    """
    columns = tuple((str(name), str(dtype)) for name, dtype in frame.dtypes.items())
    if strange := [f"{name} ({dtype})" for name, dtype in columns if dtype not in _DTYPES]:
        raise TypeError(f"a store keeps columns of {', '.join(sorted(_DTYPES))}; not {', '.join(strange)}")
    return Shape(columns, len(frame), sha256)


def to_plain(manifest: Manifest) -> dict[str, object]:
    """Give the manifest as JSON knows it."""
    tables = [
        {
            "name": name,
            "columns": [list(pair) for pair in shape.columns],
            "rows": shape.rows,
            "sha256": shape.sha256,
        }
        for name, shape in manifest.shapes.items()
    ]
    return {"format": FORMAT, "crs": manifest.crs.to_wkt(), "tables": tables}


def from_plain(raw: object, where: Path | str) -> Manifest:
    """Read a manifest and hold it against what this version of the package needs.

    Raises
    ------
    SourceError
        It is not one, or is of another version; the message names `where` and the cure.
    """
    try:
        version = int(raw["format"])  # type: ignore[index]
        manifest = _parsed(raw) if version <= FORMAT else None
    except (KeyError, TypeError, AttributeError, ValueError, ProjError) as error:
        raise damaged(where, "its description cannot be read") from error
    if manifest is None:
        raise SourceError(
            f"{where}: this store is of format {version}, written by a newer gracethd (this one reads "
            f"{FORMAT}); update gracethd, or import the deliveries again with this one"
        )
    _refuse_other_columns(manifest.shapes, where)
    return manifest


def _parsed(raw: Any) -> Manifest:  # noqa: ANN401 - whatever JSON gave; what is not as expected raises
    shapes = {
        str(table["name"]): Shape(
            tuple((str(column), str(dtype)) for column, dtype in table["columns"]),
            int(table["rows"]),
            str(table["sha256"]),
        )
        for table in raw["tables"]
    }
    return Manifest(pyproj.CRS.from_wkt(str(raw["crs"])), shapes)


def dress(frame: pd.DataFrame, name: str, manifest: Manifest, where: Path | str) -> pd.DataFrame:
    """Give a frame that was read back the columns, order and dtypes that it was stored with.

    Raises
    ------
    SourceError
        Rows or columns are missing.
    """
    shape = manifest.shapes[name]
    if len(frame) != shape.rows:
        raise damaged(where, f"{name} has {len(frame)} rows of {shape.rows}")
    if missing := [column for column in shape.names if column not in frame]:
        raise damaged(where, f"{name} has no column {missing[0]}")
    frame = frame[shape.names].reset_index(drop=True)
    coded = [column for column, dtype in shape.columns if dtype == "category"]
    frame = frame.assign(**{column: mapped(frame[column]) for column in coded})
    plain = {column: dtype for column, dtype in shape.columns if dtype not in ("geometry", "category")}
    try:
        frame = frame.astype(plain)
    except (TypeError, ValueError) as error:
        raise damaged(where, f"{name} holds values of another type") from error
    if not shape.geometry:
        return pd.DataFrame(frame)
    return gpd.GeoDataFrame(frame).set_crs(manifest.crs, allow_override=True)


def inventory_of(frames: Mapping[str, pd.DataFrame], crs: pyproj.CRS) -> Inventory:
    """Put stored frames back into an inventory."""
    told = ("deliveries", "findings")
    tables = {name: frame for name, frame in frames.items() if name not in told and not _handed_over(name)}
    carried = {
        name.removeprefix(_CARRIED): frame for name, frame in frames.items() if name.startswith(_CARRIED)
    }
    personal = frames.get(_PERSONAL, no_person())
    return Inventory(tables, crs, frames["deliveries"], frames["findings"], carried, personal)


def to_read(manifest: Manifest, *, carried: bool) -> list[str]:
    """Name the stored tables that are to be read."""
    return [name for name in manifest.shapes if carried or not _handed_over(name)]


def _handed_over(name: str) -> bool:
    """Tell whether a stored table is for who hands an inventory over, and of no use to an analysis."""
    return name == _PERSONAL or name.startswith(_CARRIED)


def damaged(where: Path | str, what: str) -> SourceError:
    """Give the error of a store that is incomplete or damaged."""
    return SourceError(f"{where}: damaged or incomplete store, {what}; import the deliveries again")


def _refuse_other_columns(shapes: Mapping[str, Shape], where: Path | str) -> None:
    """Refuse a store without a column that this version of the package reads."""
    wanted: dict[str, tuple[str, ...]] = {
        name: (*spec.columns, "updated", "delivery", "file", "line")
        for name, spec in TABLES.items()
        if name != "cableline"  # lines are on their cables once merged
    }
    wanted |= {"deliveries": _DELIVERIES, "findings": COLUMNS}
    for name, columns in wanted.items():
        known = set(shapes[name].names) if name in shapes else set()
        if missing := [column for column in columns if column not in known]:
            raise SourceError(
                f"{where}: this store holds no {name}.{missing[0]}, which this version of gracethd reads; "
                "import the deliveries again"
            )
    strange = sorted({dtype for shape in shapes.values() for _, dtype in shape.columns} - _DTYPES)
    if strange:
        raise damaged(where, "its description names unknown types")
