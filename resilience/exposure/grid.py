"""Rasters of hazards as grids of cells: opened safely, read where they are needed only."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from gracethd.errors import CRSError, SourceError
from resilience.hazards import HazardError, local_file

TILE_CELLS = 4_000_000  # cells decoded at once: 16 MB of float32

Float = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """The cells of a raster: cell (row, col) holds col <= x < col + 1 and row <= y < row + 1 in pixel space.

    Cells are half-open, so that a point, or a piece of line, that lies on the border of two cells belongs
    to the one of higher row or column; rotated, south-up and non-square cells are ordinary.

    Attributes
    ----------
    crs : pyproj.CRS
    transform : tuple of 6 float
        The affine transform from (col, row) to the CRS.
    width, height : int
    tile : (int, int)
        Rows and columns read at once: whole blocks of the file.
    """

    crs: pyproj.CRS
    transform: tuple[float, ...]
    width: int
    height: int
    tile: tuple[int, int]

    def pixels(self, xy: Float, crs: pyproj.CRS) -> Float:
        """Give (n, 2) pixel coordinates (col, row) of (n, 2) coordinates given in `crs`.

        Vertices go to the raster's CRS; the raster is never resampled.
        """
        if not crs.equals(self.crs, ignore_axis_order=True):
            transformer = pyproj.Transformer.from_crs(crs, self.crs, always_xy=True)
            xy = np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
            if not np.isfinite(xy).all():
                raise CRSError(
                    f"the network ({crs.name}) has places that the raster's CRS ({self.crs.name}) cannot"
                    " hold; check both CRS"
                )
        inverse = ~rasterio.Affine(*self.transform)
        # the offset is subtracted first: northings of 7,000 km would cost digits in the product
        east, north = xy[:, 0] - self.transform[2], xy[:, 1] - self.transform[5]
        return np.column_stack([inverse.a * east + inverse.b * north, inverse.d * east + inverse.e * north])

    def footprint(self) -> shapely.Geometry:
        """Give the raster's rectangle as a polygon in its CRS."""
        corners = [(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)]
        a, b, c, d, e, f = self.transform
        return shapely.polygons([(a * col + b * row + c, d * col + e * row + f) for col, row in corners])

    def holds(self, row: Index, col: Index) -> NDArray[np.bool_]:
        """Tell which cells are inside the raster."""
        return (row >= 0) & (row < self.height) & (col >= 0) & (col < self.width)

    def tile_of(self, row: Index, col: Index) -> NDArray[np.integer]:
        """Give the tile number of each cell, those outside the raster with the nearest one."""
        high, wide = self.tile
        tiles_a_row, tiles_a_column = -(-self.width // wide), -(-self.height // high)
        tile = (
            np.clip(row, 0, self.height - 1) // high * tiles_a_row + np.clip(col, 0, self.width - 1) // wide
        )
        # numbers of 16 bits are sorted by radix, several times faster
        return tile.astype(np.uint16) if tiles_a_row * tiles_a_column <= 1 << 16 else tile


@contextmanager
def open_raster(path: Path, *, hazard: str) -> Iterator[rasterio.DatasetReader]:
    """Open a GeoTIFF for reading, with no other driver, no network and no virtual file system.

    Raises
    ------
    SourceError
        When the file does not exist, is not a GeoTIFF, or is damaged (also while it is being read).
    """
    role = f"raster of hazard {hazard!r}"
    file = local_file(path, role=role)
    # a side file (.aux.xml, .msk) could still name an address: no extension is allowed over the network
    with rasterio.Env(CPL_VSIL_CURL_ALLOWED_EXTENSIONS=".none"):
        try:
            with _opened(file) as source:
                yield source
        except RasterioError as error:
            raise SourceError(
                f"{role}: {path} cannot be read as a GeoTIFF ({error}); export it again as GeoTIFF or COG"
            ) from error


def _opened(file: Path) -> rasterio.DatasetReader:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told by grid_of, with the cure
        return rasterio.open(file, driver="GTiff")


def raster_role(path: Path, hazard: str) -> str:
    """Name a raster as messages do."""
    return f"{path} (hazard {hazard!r})"


def grid_of(source: rasterio.DatasetReader, role: str) -> Grid:
    """Describe the grid of an open raster; `role` is what messages call it (`raster_role`).

    Raises
    ------
    CRSError
        When the raster has no CRS, or one that is not geographic or projected.
    HazardError
        When it has no georeference, more than one band, or no cell with data.
    """
    if source.crs is None:
        raise CRSError(
            f"{role}: the raster has no CRS; assign it, for instance gdal_edit.py -a_srs EPSG:2154"
        )
    crs = pyproj.CRS.from_user_input(source.crs.to_wkt())
    if not (crs.is_geographic or crs.is_projected):
        raise CRSError(
            f"{role}: CRS {crs.name!r} has no place on Earth; assign the right one, e.g. EPSG:2154"
        )
    if source.transform.is_identity or source.transform.determinant == 0:
        raise HazardError(
            f"{role}: the raster is not georeferenced; export it with its position and cell size"
        )
    if source.count != 1:
        raise HazardError(
            f"{role}: {source.count} bands where one band of values is expected; export that band"
        )
    if not any(_has_data(source, window) for _, window in source.block_windows(1)):
        raise HazardError(
            f"{role}: no cell of the raster has data; check the file and its declared 'no data' value"
        )
    transform = tuple(float(value) for value in source.transform[:6])
    return Grid(crs, transform, source.width, source.height, _tile_shape(source))


def _has_data(source: rasterio.DatasetReader, window: Window) -> bool:
    values = source.read(1, window=window, masked=True).compressed()
    return not bool(np.isnan(values).all())


def _tile_shape(source: rasterio.DatasetReader) -> tuple[int, int]:
    """Give a tile made of whole blocks, so that no block is decoded twice for one tile row."""
    rows, cols = source.block_shapes[0]
    wide = max(1, min(-(-source.width // cols), TILE_CELLS // (rows * cols), -(-1024 // cols))) * cols
    high = max(1, min(-(-source.height // rows), TILE_CELLS // (rows * wide), -(-1024 // rows))) * rows
    return high, wide


def read_cells(source: rasterio.DatasetReader, grid: Grid, row: Index, col: Index) -> Float:
    """Give the value of each cell, NaN without data or outside the raster.

    Tiles of the file are read one by one, each once, where at least one cell is asked: memory is one tile
    (`TILE_CELLS`) whatever the size of the raster. Band scale and offset are applied.
    """
    values = np.full(len(row), np.nan)
    inside = np.flatnonzero(grid.holds(row, col))
    tile = grid.tile_of(row[inside], col[inside])
    order = np.argsort(tile, kind="stable")
    inside, tile = inside[order], tile[order]
    high, wide = grid.tile
    for asked in np.split(inside, np.flatnonzero(np.diff(tile)) + 1) if len(inside) else []:
        top, left = int(row[asked[0]] // high * high), int(col[asked[0]] // wide * wide)
        window = Window(left, top, min(wide, grid.width - left), min(high, grid.height - top))
        within = row[asked] - top, col[asked] - left
        hit = source.read(1, window=window)[within]
        values[asked] = np.where(_is_void(source, window, within, hit), np.nan, hit)
    return values * source.scales[0] + source.offsets[0]


def _is_void(
    source: rasterio.DatasetReader, window: Window, within: tuple[Index, Index], hit: NDArray[np.generic]
) -> NDArray[np.bool_]:
    """Tell which of the cells that were hit have no data; a mask is read only where the file has one."""
    flags = source.mask_flag_enums[0]
    if flags == [MaskFlags.all_valid]:
        return np.zeros(len(hit), bool)
    if flags == [MaskFlags.nodata] and source.nodata is not None:
        # a float32 holds the nearest number to what is declared; an integer it cannot hold is never met
        is_float = np.issubdtype(hit.dtype, np.floating)
        void = hit.dtype.type(source.nodata) if is_float else np.float64(source.nodata)
        return np.isnan(hit) if np.isnan(void) else np.asarray(hit == void)
    return np.asarray(source.read_masks(1, window=window)[within] == 0)
