"""A measure is shown only if its evidence, which the benchmark writes, reaches the bound."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measures.faults import Frames
from tests.measures.world import FPS, SMALL, Room, film
from workbench.control import path_from_words
from workbench.measures import breaks, evidence
from workbench.measures.breaks import break_scores
from workbench.measures.clips import Clip
from workbench.measures.evidence import is_proven
from workbench.measures.scores import SCORE_NAMES


def _shot() -> Frames:
    words = "truck right 1 units and pan right 10 degrees"
    return film(path_from_words(words, seconds=1.5, fps=FPS).value.c2w, Room(0), SMALL)


@pytest.mark.parametrize(
    ("reached", "shown"),
    [
        ({"correlation": 0.9}, True),
        ({"correlation": 0.89}, False),
        ({"found": 0.95, "right": 1.0}, True),
        ({"found": 1.0, "right": 0.94}, False),
        ({"found": 0.94, "right": 1.0}, False),
        ({}, False),
    ],
)
def test_the_bound_decides(
    reached: dict[str, float], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "evidence", lambda: {"cuts": reached})
    assert is_proven("cuts") is shown
    assert not is_proven("nobody")


def test_a_clips_scores_are_those_with_evidence() -> None:
    found = break_scores(Clip.of(_shot(), FPS))
    assert found.keys() == {name for name in found if is_proven(name)}
    assert {"exposure_drift", "repeated_frames", "standstill", "cuts", "loops"} <= found.keys()


def test_a_measure_that_loses_its_evidence_is_shown_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breaks, "is_proven", lambda name: name != "cuts")
    found = break_scores(Clip.of(_shot(), FPS))
    assert "cuts" not in found
    assert "loops" in found


def test_evidence_names_scores_or_what_else_is_shown() -> None:
    others = {"camera_movement", "subject_offset", "divergence"}
    assert evidence.evidence().keys() <= {*SCORE_NAMES, *others}
    for reached in evidence.evidence().values():
        assert np.isfinite(list(reached.values())).all()
