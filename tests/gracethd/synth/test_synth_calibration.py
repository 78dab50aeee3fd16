"""Random areas against the public figures of the Nord-Pas-de-Calais network (issue B, public reports 2024).

680,300 prises over 1,153 communes, 129 NRO, about 1,500 PM; 20 to 27 thousand km of cable, drops included,
are 30 to 40 m a prise; 50 to 60 % of distribution is aerial.
"""

import numpy as np
import pandas as pd
import pytest
import shapely

from gracethd.synth import SynthNetwork, random_area, synthesise

PRISES = 20_000


@pytest.fixture(scope="module")
def medium() -> SynthNetwork:
    return synthesise(random_area(PRISES, seed=1), seed=1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_whole_network_has_its_communes_nro_and_pm(seed: int) -> None:
    area = random_area(680_300, seed=seed)
    assert sum(commune.prises for commune in area.communes) == 680_300
    assert len(area.communes) == 1153
    assert len(area.nros) == 129
    n_pm = sum(max(1, round(commune.prises / area.prises_per_pm)) for commune in area.communes)
    assert 1450 < n_pm < 1550
    false_loops = sum(nro.protection == "fausse_boucle" for nro in area.nros)
    assert 0.1 < false_loops / 129 < 0.3


def test_cable_laid_a_prise(medium: SynthNetwork) -> None:
    home = medium.addresses.geometry.to_numpy()[medium.premises["address"]]
    box = medium.places.geometry.to_numpy()[medium.boxes["place"].to_numpy()[medium.premises["box"]]]
    drops = shapely.distance(home, box)[medium.premises["connected"]].sum()
    assert 30 < (medium.cables.length.sum() + drops) / PRISES < 40


def test_half_of_distribution_is_aerial_and_hardly_any_collecte(medium: SynthNetwork) -> None:
    layer = medium.cables["layer"].to_numpy()[medium.cable_ways["cable"]]
    way = medium.cable_ways["way"].to_numpy()
    length = medium.ways.length.to_numpy()[way]
    aerial = medium.ways["typ_imp"].isin(["0", "1"]).to_numpy()[way]
    share = {
        name: length[aerial & (layer == name)].sum() / length[layer == name].sum() for name in ("DI", "CO")
    }
    assert 0.50 < share["DI"] < 0.60
    assert share["CO"] < 0.10


def test_layers_share_chambers_ways_and_closures(medium: SynthNetwork) -> None:
    layer = medium.cables["layer"].to_numpy()[medium.cable_ways["cable"]]
    ends = medium.ways[["place1", "place2"]].to_numpy()[medium.cable_ways["way"]]
    passed = pd.DataFrame({"place": ends.ravel(), "layer": np.repeat(layer, 2)}).drop_duplicates()
    chambers = passed[medium.places["kind"].to_numpy()[passed["place"]] == "chambre"]
    assert (chambers.groupby("place").size() > 1).mean() > 0.2
    assert medium.ways["typelog"].isin(["CT", "CD", "TD", "CX"]).mean() > 0.1
    boxed = pd.concat(
        [medium.cables[["layer", f"box{end}"]].set_axis(["layer", "box"], axis=1) for end in (1, 2)]
    )
    layers = boxed[boxed["box"] >= 0].drop_duplicates().groupby("box")["layer"].agg(set)
    assert (layers == {"TR", "DI"}).sum() == medium.zones["shared_closure"].sum() > 3
