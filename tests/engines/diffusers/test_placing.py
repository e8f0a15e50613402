"""A warm model changes placement when a render needs it, and after running out of memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch

from tests.engines.diffusers.conftest import Ask, Stage
from workbench.engines.diffusers import loading
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.engine import Rendered
from workbench.engines.probe import decode_video
from workbench.errors import EngineUnavailable, OutOfMemory
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def _frames(folder: Path) -> Any:
    return np.stack(list(decode_video(folder / "video.mp4")))


def _memory(made: Rendered) -> dict[str, Any]:
    assert made.request is not None
    said: dict[str, Any] = made.request.options[AS_RENDERED]["memory"]
    return said


def test_a_warm_model_gives_the_same_frames_in_every_placement(ask: Ask, stage: Stage) -> None:
    _, full = stage.render(ask("wan"))
    order = ("text_offload", "group_offload", "model_offload", "group_offload", "full")
    for memory in order:
        made, folder = stage.render(ask("wan", options={"memory": memory}))
        assert "loading" not in stage.stages, "the model stays loaded"
        assert _memory(made)["placement"] == memory
        assert (_frames(folder) == _frames(full)).all()


def test_both_denoisers_are_read_from_disk_straight_to_the_device_they_stay_on(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, full = stage.render(ask("wan-2-2"))
    stage.engine.unload()
    kind: Any = diffusers.WanTransformer3DModel
    plain, straight = kind.from_pretrained, []

    def read(*args: Any, **given: Any) -> Any:
        straight.append((given.get("subfolder"), given.get("device_map")))
        return plain(*args, **given)

    monkeypatch.setattr(kind, "from_pretrained", read)
    request = ask("wan-2-2", options={"memory": "text_offload"})
    _, folder = stage.render(request)
    wanted = [("transformer", {"": "cpu"}), ("transformer_2", {"": "cpu"})]
    assert sorted(straight) == wanted, "each once, with its place"
    assert (_frames(folder) == _frames(full)).all()
    straight.clear()
    stage.render(request.model_copy(update={"quantize": "fp8"}))
    assert not any(place for _, place in straight), "narrowed after loading, so not on the device"


def test_a_modular_pipeline_is_streamed_when_its_recipe_says_so(ask: Ask, stage: Stage) -> None:
    _, full = stage.render(ask("wan-modular"))
    made, folder = stage.render(ask("wan-modular", options={"memory": "group_offload"}))
    assert stage.engine._model is not None
    transformer = stage.engine._model.pipe.transformer
    hooked = [one for one in transformer.modules() if hasattr(one, "_diffusers_hook")]
    assert any(one._diffusers_hook.get_hook("group_offloading") for one in hooked)
    assert _memory(made)["placement"] == "group_offload"
    assert (_frames(folder) == _frames(full)).all()


def test_out_of_memory_retries_with_the_next_smaller_placement_and_records_it(
    ask: Ask, stage: Stage
) -> None:
    _, plain = stage.render(ask("wan"))
    assert stage.engine._model is not None
    failures = iter(range(1))

    def fail(*_: Any) -> None:
        if next(failures, None) is not None:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    handle = stage.engine._model.pipe.transformer.register_forward_pre_hook(fail)
    made, folder = stage.render(ask("wan"))
    handle.remove()
    assert _memory(made)["placement"] == "text_offload"
    assert _memory(made)["ran_out"] == ["full"]
    assert any(
        one.message == "out of memory as full: retrying with another placement"
        for one in stage.said
    )
    assert _frames(folder).shape == _frames(plain).shape
    smaller, _ = stage.render(ask("wan", num_frames=5))
    assert _memory(smaller)["placement"] == "full", "a smaller video did not run out"
    again, _ = stage.render(ask("wan"))
    assert _memory(again)["placement"] == "text_offload"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Return a function that makes the transformer's first loads run out of memory.

    It returns a list with an entry for each load.
    """

    def fail(times: int) -> list[str]:
        tried: list[str] = []
        load = diffusers.WanTransformer3DModel.from_pretrained

        def loaded(*arguments: Any, **options: Any) -> Any:
            tried.append("transformer")
            if len(tried) <= times:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return load(*arguments, **options)

        monkeypatch.setattr(diffusers.WanTransformer3DModel, "from_pretrained", loaded)
        return tried

    return fail


def test_after_running_out_of_memory_while_loading_the_model_is_loaded_one_placement_lower(
    ask: Ask, stage: Stage, loads: Callable[[int], list[str]]
) -> None:
    _, plain = stage.render(ask("wan"))
    stage.engine.unload()
    tried = loads(1)
    made, folder = stage.render(ask("wan"))
    assert len(tried) == 2
    assert _memory(made)["placement"] == "text_offload"
    assert _memory(made)["ran_out"] == ["full"]
    told = "out of memory loading as full: retrying with another placement"
    assert [one.message for one in stage.said].count(told) == 1
    assert (_frames(folder) == _frames(plain)).all()
    smaller, _ = stage.render(ask("wan", num_frames=5))
    assert _memory(smaller)["placement"] == "text_offload", "the weights alone were too many"


def test_loading_that_runs_out_of_memory_twice_fails_with_advice(
    ask: Ask, stage: Stage, loads: Callable[[int], list[str]]
) -> None:
    tried = loads(2)
    with pytest.raises(OutOfMemory, match="too little memory for 64×64"):
        stage.render(ask("wan"))
    assert len(tried) == 2
    stage.render(ask("wan"))  # the engine stays usable


def test_loading_in_a_requested_placement_is_not_retried_in_another(
    ask: Ask, stage: Stage, loads: Callable[[int], list[str]]
) -> None:
    tried = loads(1)
    with pytest.raises(OutOfMemory):
        stage.render(ask("wan", options={"memory": "full"}))
    assert len(tried) == 1


def test_a_requested_placement_is_never_changed(ask: Ask, stage: Stage) -> None:
    request = ask("wan", options={"memory": "full"})
    stage.render(request)
    assert stage.engine._model is not None

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    handle = stage.engine._model.pipe.transformer.register_forward_pre_hook(fail)
    with pytest.raises(OutOfMemory, match=r"options\.memory to 'text_offload' or 'auto'"):
        stage.render(request)
    handle.remove()


def test_a_model_larger_than_the_machine_is_refused_before_it_is_loaded(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "available_bytes", lambda: 1_000)
    with pytest.raises(EngineUnavailable, match="quantise it"):
        stage.render(ask("wan"))
    assert stage.engine._model is None


def test_a_model_is_downloaded_before_its_memory_is_planned(
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A function that copies the tiny model into the cache stands in for the hub."""
    home = tmp_path / "models--tiny--wan"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    def download(_name: str, **_: Any) -> str:
        (home / "refs").mkdir(parents=True)
        (home / "refs" / "main").write_text("abc")
        shutil.copytree(models("wan"), home / "snapshots" / "abc")
        return str(home / "snapshots" / "abc")

    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    stage.engine._settings = Settings(allow_hub=True)
    stage.render(ask("wan", model="tiny/wan"))
    assert stage.engine._model is not None
    assert stage.engine._model.sizes["transformer"] > 0
    assert stage.said[0].message == "downloading tiny/wan"
    stage.engine.unload()
