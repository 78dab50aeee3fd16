"""Fixtures that every test may use."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.draws import PROFILE, draws

settings.register_profile(
    PROFILE,
    max_examples=draws(200),
    derandomize=PROFILE != "night",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile(PROFILE)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of reference material that stands beside the project, or skip."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("GRACETHD_SHARED", default))
    if not (folder / "DESIGN.md").is_file():
        pytest.skip("reference material absent: set GRACETHD_SHARED to its folder")
    return folder


V3_LAYERS = ("t_adresse", "t_cableline", "t_cheminement", "t_noeud", "t_znro", "t_zsro")


@pytest.fixture(scope="session")
def demo01(shared: Path) -> Path:
    """Give GraceTHD-Demo01 (v2.0.1), read-only: one NRO, one SRO, 21 premises."""
    return shared / "gracethd" / "demo01-v2.0.1"


@pytest.fixture(scope="session")
def sample_v3(shared: Path, demo01: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Assemble the public v3 sample: its CSV, and the layers of demo01, which it is a migration of."""
    folder = tmp_path_factory.mktemp("v3") / "sample-v3"
    folder.mkdir()
    for csv in sorted((shared / "gracethd" / "sample-v3").glob("t_*.csv")):
        shutil.copyfile(csv, folder / csv.name)
    for layer in V3_LAYERS:
        for part in sorted(demo01.glob(f"{layer}.*")):
            shutil.copyfile(part, folder / part.name)
    return folder


@pytest.fixture
def demo01_copy(demo01: Path, tmp_path: Path) -> Path:
    """Give a copy of demo01 that a test may damage."""
    folder = tmp_path / "demo01"
    folder.mkdir()
    for file in sorted(demo01.iterdir()):
        shutil.copyfile(file, folder / file.name)
    return folder
