"""Random numbers of the annual loss: reproducible, independent, the same whatever else is in the table."""

import itertools

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from resilience.loss import keys_of_assets
from resilience.loss.draws import Bearers, failures_of_draws, repair_stages
from resilience.loss.events import events_of
from tests.resilience.loss_cases import failures, keys
from tests.resilience.service_graphs import service_graph


def siphash_2_4(key: bytes, message: bytes) -> int:
    """SipHash-2-4 as its authors publish it (Aumasson and Bernstein 2012), slow and plain."""
    word = 2**64 - 1

    def rotated(x: int, b: int) -> int:
        return ((x << b) | (x >> (64 - b))) & word

    def rounds(v: tuple[int, int, int, int], n: int) -> tuple[int, int, int, int]:
        a, b, c, d = v
        for _ in range(n):
            a = (a + b) & word
            b = rotated(b, 13) ^ a
            a = rotated(a, 32)
            c = (c + d) & word
            d = rotated(d, 16) ^ c
            a = (a + d) & word
            d = rotated(d, 21) ^ a
            c = (c + b) & word
            b = rotated(b, 17) ^ c
            c = rotated(c, 32)
        return a, b, c, d

    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    v = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) % 256])
    for i in range(0, len(padded), 8):
        block = int.from_bytes(padded[i : i + 8], "little")
        a, b, c, d = rounds((v[0], v[1], v[2], v[3] ^ block), 2)
        v = (a ^ block, b, c, d)
    a, b, c, d = rounds((v[0], v[1], v[2] ^ 0xFF, v[3]), 4)
    return a ^ b ^ c ^ d


def scrambled(z: int) -> int:
    """Give the output function of SplitMix64 in plain integers."""
    word = 2**64 - 1
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & word
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & word
    return z ^ (z >> 31)


def test_keys_are_scrambled_siphash_of_kind_and_code() -> None:
    assert siphash_2_4(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5  # the authors' test vector
    assets = pd.DataFrame({"kind": ["cable", "site"], "code": ["CB0018é", "00123"]})
    texts = ["cable:CB0018é", "site:00123"]
    expected = [scrambled(siphash_2_4(b"0123456789123456", text.encode())) for text in texts]
    assert keys_of_assets(assets).tolist() == expected


def splitmix64(seed: int, n: int) -> list[int]:
    """SplitMix64 in plain integers (public-domain reference of Vigna)."""
    return [scrambled((seed + (i + 1) * 0x9E3779B97F4A7C15) & (2**64 - 1)) for i in range(n)]


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(0, 1)), max_size=5),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_draws_are_the_reference_stream_below_p(
    rows: list[tuple[int, float]], first: int, count: int
) -> None:
    # published outputs for the seed 1234567
    assert splitmix64(1234567, 3) == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    bearers = Bearers(
        np.zeros(len(rows), np.int32),
        np.array([state for state, _ in rows], np.uint64),
        np.array([p for _, p in rows]),
        np.ones(len(rows)),
    )
    draw, row = failures_of_draws(bearers, range(first, first + count))
    streams = [splitmix64(state, first + count) for state, _ in rows]
    expected = [
        (d, r)
        for d in range(first, first + count)
        for r, (_, p) in enumerate(rows)
        if (streams[r][d] >> 11) / 2**53 < p
    ]
    assert list(zip(draw.tolist(), row.tolist(), strict=True)) == expected


def test_certain_and_impossible_failures() -> None:
    bearers = Bearers(
        np.arange(2, dtype=np.int32), np.array([5, 6], np.uint64), np.array([0.0, 1.0]), np.ones(2)
    )
    draw, row = failures_of_draws(bearers, range(500))
    assert draw.tolist() == list(range(500))
    assert set(row.tolist()) == {1}


def test_many_bearers_are_drawn_in_every_draw() -> None:
    """More bearers than are looked at together: 20,000 certain failures in each of 3 draws."""
    n = 20_000
    bearers = Bearers(np.arange(n, dtype=np.int32), np.arange(n, dtype=np.uint64), np.ones(n), np.ones(n))
    draw, row = failures_of_draws(bearers, range(4, 7))
    assert (draw == np.repeat([4, 5, 6], n)).all()
    assert (row == np.tile(np.arange(n), 3)).all()


def test_failures_are_independent_between_assets_mechanisms_events_and_seeds() -> None:
    """Correlations of 0/1 failures at p = 0.5 stay within five standard errors (0.05 for 10,000 draws)."""
    graph = service_graph([(0, 1)], [0, 1], edge_links=[(i, 0) for i in range(3)])
    rows = [(a, t, m, 0.5, 1) for a in range(3) for t in (10, 100) for m in ("water", "scour")]
    columns = []
    for seed in (1, 2):
        for event in events_of(graph, failures(rows), asset_keys=keys(3), seed=seed):
            draw, row = failures_of_draws(event.bearers, range(10_000))
            failed = np.zeros((10_000, 6))
            failed[draw, row] = 1
            columns.append(failed)
    correlation = np.corrcoef(np.hstack(columns), rowvar=False)
    assert correlation.shape == (24, 24)
    assert np.abs(correlation - np.eye(24)).max() < 0.05
    assert np.abs(np.hstack(columns).mean(axis=0) - 0.5).max() < 0.025


def test_stages_of_a_repair_are_nested_and_named_once() -> None:
    """Draws 0 and 2 lose {7 (168 h), 8 (24 h)}, draw 1 loses {8}; in draw 2 asset 8 failed twice."""
    stages = repair_stages(
        np.array([0, 0, 1, 2, 2, 2]),
        np.array([7, 8, 8, 7, 8, 8], np.int32),
        np.array([168.0, 24, 24, 168, 24, 9]),
    )
    assert stages.draw.tolist() == [0, 0, 1, 2, 2]
    assert stages.hours.tolist() == [144, 24, 24, 144, 24]
    sets = [stages.assets[a:b].tolist() for a, b in itertools.pairwise(stages.indptr)]
    assert [sets[i] for i in stages.set_row] == [[7], [7, 8], [8], [7], [7, 8]]
    assert len(sets) == 3
