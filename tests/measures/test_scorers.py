"""Third-party scorers run in processes of their own, and their faults stay there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.measures.tiny_scorer import install
from workbench.errors import ScorerError
from workbench.measures.scorers import (
    ScorerProcess,
    better_when_lower,
    note_directions,
    score_names,
    scorer_targets,
)
from workbench.settings import Settings

RECIPE = {"request": {"prompt": "a dog runs home"}}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = install(tmp_path_factory.mktemp("scorer"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        yield folder


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"a video")
    return path


def _scorer(name: str, *, timeout_s: float = 60.0) -> ScorerProcess:
    return ScorerProcess(name.lower(), f"tiny_scorer:{name}", timeout_s=timeout_s)


def test_an_installed_scorer_is_found_by_its_entry_point(site: Path, tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path)
    assert scorer_targets(settings) == {"brevity": "tiny_scorer:Brevity"}
    assert "brevity" in score_names(settings)


def test_a_scorer_cannot_take_the_name_of_a_measure(site: Path, tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path, scorers={"motion": "a:B", "Bad name": "a:B"})
    assert set(scorer_targets(settings)) == {"brevity"}


def test_a_scorer_stays_loaded_for_the_next_video(site: Path, video: Path) -> None:
    with closing(_scorer("Brevity")) as scorer:
        assert scorer.score(video, RECIPE) == pytest.approx(1 / 4)
        pid = scorer.pid
        assert scorer.score(video, {"request": {"prompt": "a dog"}}) == pytest.approx(1 / 2)
        assert scorer.pid == pid
        assert scorer.is_lower_better is False


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Boundless", "outside its range"),
        ("Failing", "no weights here"),
        ("Dying", "ended without an answer"),
        ("Missing", "no attribute"),
    ],
)
def test_a_scorer_that_fails_gives_no_score(site: Path, video: Path, name: str, told: str) -> None:
    with closing(_scorer(name)) as scorer, pytest.raises(ScorerError, match=told):
        scorer.score(video, RECIPE)


def test_a_scorer_that_hangs_is_ended_at_its_limit(site: Path, video: Path) -> None:
    scorer = _scorer("Hanging", timeout_s=0.5)
    with pytest.raises(ScorerError, match="took longer than"):
        scorer.score(video, RECIPE)
    assert scorer.pid is None


def test_every_process_knows_which_scores_are_better_when_low(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path)
    settings.index_path.parent.mkdir(parents=True, exist_ok=True)
    note_directions(settings, {"noise": True})
    note_directions(settings, {"brevity": False})
    assert {"noise", "flicker"} <= better_when_lower(settings)
    assert "brevity" not in better_when_lower(settings)


def test_a_scorer_gets_at_most_half_of_the_memory_and_says_when_that_is_not_enough(
    site: Path, video: Path
) -> None:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with closing(_scorer("Measured")) as scorer:
        assert scorer.score(video, RECIPE) == max(2 << 30, whole // 2)
    with closing(_scorer("Greedy")) as scorer, pytest.raises(ScorerError, match="MemoryError"):
        scorer.score(video, RECIPE)
