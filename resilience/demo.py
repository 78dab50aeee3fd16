"""The example study that travels with the package."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from gracethd.errors import SourceError


@contextmanager
def example_folder() -> Iterator[Path]:
    """Give the folder of the example study: inside an installed package, else in the clone.

    Raises
    ------
    SourceError
        When neither holds it.
    """
    packaged = files("resilience").joinpath("_data", "exemple")
    if packaged.is_dir():
        with as_file(packaged) as folder:
            yield folder
        return
    clone = Path(__file__).resolve().parent.parent / "data" / "exemple"
    if not (clone / "etude.toml").is_file():
        raise SourceError("the example study is not in this installation; install the wheel anew")
    yield clone
