"""Ratios survive as numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.actions.render_settings import RenderSettings
from workbench.frame_rates import exact_rate, frame_rate
from workbench.rendering import RenderParameters, RenderRequest
from workbench.research.parameters import RunParameters


@given(st.integers(1, 1_001), st.integers(1, 120_000))
def test_every_ratio_with_a_denominator_up_to_1001_survives(below: int, above: int) -> None:
    exact = Fraction(above, below)
    if 1 <= exact <= 120:
        assert exact_rate(frame_rate(f"{above}/{below}")) == exact


@pytest.mark.parametrize("kind", [RenderParameters, RenderSettings])
def test_every_way_in_reads_a_ratio(kind: type[RenderParameters | RenderSettings]) -> None:
    assert kind(fps="30000/1001").fps == 30_000 / 1_001


def test_a_request_and_a_run_read_a_ratio_and_keep_it_as_json() -> None:
    request = RenderRequest(prompt="x", fps="24000/1001")
    read = RenderRequest.model_validate_json(request.model_dump_json())
    assert read.fps is not None
    assert exact_rate(read.fps) == Fraction(24_000, 1_001)
    run = RunParameters(prompts="x", fps="24000/1001")
    assert run.render_values["fps"] == 24_000 / 1_001
