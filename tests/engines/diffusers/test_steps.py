"""Steps are counted however a pipeline runs them."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from tests.engines.diffusers.conftest import Ask, Stage
from workbench.engines.diffusers.steps import StepWatch
from workbench.rendering import Progress

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class _Silent:
    """A pipeline without a step callback, as the modular ones are."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.components: dict[str, Any] = {}

    def __call__(self, prompt: str) -> None:
        """Play a pipeline's call."""


def _watch(steps: int) -> tuple[StepWatch, list[Progress]]:
    said: list[Progress] = []
    return StepWatch(steps, said.append, lambda: False), said


def test_a_copied_scheduler_steps_itself_and_not_the_one_it_was_copied_from() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(4)
    plain = copy.deepcopy(scheduler)
    watch, said = _watch(4)
    with watch.watching(_Silent(scheduler), deep=False):
        sound = copy.deepcopy(scheduler)
        for moment in scheduler.timesteps:
            scheduler.step(torch.ones(3), moment, torch.zeros(3))
            heard = sound.step(torch.ones(3), moment, torch.zeros(3), return_dict=False)[0]
            wanted = plain.step(torch.ones(3), moment, torch.zeros(3), return_dict=False)[0]
            assert torch.equal(heard, wanted)
    assert sound.step_index == scheduler.step_index == 4
    assert [one.step for one in said] == [1, 2, 3, 4], "the copy's steps are not the video's"


@pytest.mark.parametrize("inherits", [False, True])
def test_watching_a_scheduler_leaves_its_class_unchanged(inherits: bool) -> None:
    class Derived(FlowMatchEulerDiscreteScheduler):  # type: ignore[misc]
        pass

    kind = Derived if inherits else FlowMatchEulerDiscreteScheduler
    before = dict(vars(kind))
    watch, _ = _watch(2)
    with pytest.raises(KeyError), watch.watching(_Silent(kind()), deep=False):
        raise KeyError
    assert dict(vars(kind)) == before


def test_a_pipeline_without_a_scheduler_reports_no_steps() -> None:
    watch, said = _watch(2)
    pipe = SimpleNamespace(scheduler=None, components={}, __call__=lambda: None)
    silent = _Silent(pipe.scheduler)
    with watch.watching(silent, deep=False) as arguments:
        assert arguments == {}
    assert said == []


def test_a_low_strength_counts_the_steps_actually_run(ask: Ask, stage: Stage) -> None:
    _, first = stage.render(ask("wan"))
    options = {"video": str(first / "video.mp4"), "strength": 0.5}
    stage.render(ask("wan", num_inference_steps=8, options=options))
    steps = [one for one in stage.said if one.stage == "denoising"]
    assert [one.step for one in steps] == [1, 2, 3, 4]
    assert steps[-1].message == "step 4 of 4"
    assert steps[-1].fraction >= 0.75
    last = [one for one in stage.said if one.stage == "decoding"][-1]
    assert last.fraction == 1.0


def test_the_time_of_a_step_is_the_mean_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, _ = _watch(3)
    clock = iter((10.0, 12.0, 16.0))
    monkeypatch.setattr("workbench.engines.diffusers.steps.time.perf_counter", lambda: next(clock))
    watch.step()
    assert watch.seconds_per_step is None
    watch.step()
    watch.step()
    assert watch.seconds_per_step == 3.0
