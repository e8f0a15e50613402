"""A page reaches the best-of-N runs of its own session, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench
from tests.live_server import end_supervisor
from tests.widgets.talk import Talk
from workbench.research.best_of import best_of
from workbench.research.best_of_plan import Plan
from workbench.settings import Settings
from workbench.studio import Studio


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    outputs = tmp_path / "outputs"
    studio = Studio(Settings(outputs=outputs))
    bench = workbench.Workbench(using=studio)
    talk = Talk(bench)
    talk.ask("enhance", text="a red kite")
    yield talk
    bench.close()
    studio.close()
    end_supervisor(outputs)


def test_a_run_of_another_session_is_neither_listed_nor_reached(talk: Talk) -> None:
    studio = talk.bench._studio
    session, entry = studio.run(studio.enhance("a blue boat"))
    asked: dict[str, Any] = {"n": 2, "keep": 1, "critics": ["sharpness"], "using": studio}
    other = best_of(entry.prompt, name="other", session_id=session, **asked)
    assert talk.bench.session is not None
    here = talk.bench.session.session_id
    own = best_of("a kite", name="own", session_id=here, **asked)
    assert [run["name"] for run in talk.ask("best_of_runs")["value"]] == [own.name]
    assert talk.ask("best_of_run", name=own.name)["value"]["state"] == "waiting"
    vote = {"better": 0, "worse": 1}
    for name in ("best_of_run", "best_of_cancel", "best_of_go_on", "best_of_vote"):
        more: dict[str, Any] = vote if name == "best_of_vote" else {}
        answer = talk.ask(name, name=other.name, **more)
        assert "error" in answer, name
    assert not other.is_cancelled
    assert other.votes == []


def test_drafts_are_cheaper_than_what_is_kept_and_say_so_for_the_budget(talk: Talk) -> None:
    index = talk.entries[-1]["index"]
    begun = talk.ask("best_of_begin", index=index, n=3, keep=1, critics=["sharpness"], minutes=5)
    run = begun["value"]
    assert run["budget_s"] == 300
    (one,) = talk.ask("best_of_runs")["value"]
    assert one["n"] == 3
    asked = talk.bench._studio.settings.outputs / "runs" / one["name"] / "best_of.json"
    plan = Plan.read(asked)
    assert plan is not None
    assert plan.asked["draft"]["width"] < plan.asked["parameters"]["width"]
    assert talk.ask("best_of_cancel", name=one["name"])["value"]["state"] == "cancelled"
    assert "error" in talk.ask("best_of_begin", index=index, n=1, keep=1, critics=["sharpness"])
