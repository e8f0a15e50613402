"""A model's own weights and its inputs over REST, rendered by tiny models in a real worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

import cv2
import diffusers

from tests.engines.diffusers.tiny import save
from tests.engines.diffusers.tiny_weights import save_lora
from tests.live_server import LiveServer

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def live(folder: Path) -> Iterator[LiveServer]:
    """A server whose workers may take long to import the model libraries."""
    environment = {"WORKBENCH_LEASE_S": "60", "OMP_NUM_THREADS": "1"}
    with LiveServer(folder / "outputs", environment=environment) as one:
        yield one


def _asked(server: LiveServer, **changed: Any) -> Any:
    shape = {"width": 64, "height": 64, "num_frames": 9, "num_inference_steps": 2, "seed": 7}
    asked = {"prompt": "a dog runs in the rain", "engine": "diffusers", "profile": "reference"}
    return server.post("/api/video/single_inference", {**asked, **shape, **changed})


def _rendered(server: LiveServer, **changed: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a finished job, and its recipe's request."""
    answer = _asked(server, **changed)
    assert answer.status_code == 201, answer.text
    job = server.wait_for_job(answer.json()["job_id"])
    assert job["status"] == "complete", job
    recipe = server.get(job["video_url"].replace("video.mp4", "recipe.json")).json()
    return job, recipe["request"]


def test_a_lora_and_a_quantisation_are_rendered_and_recorded(
    live: LiveServer, folder: Path
) -> None:
    model = save("wan", folder)
    kind = diffusers.WanTransformer3DModel
    file = save_lora(folder / "ink.safetensors", kind.from_pretrained(model / "transformer"))
    own = {"loras": [{"path": str(file), "weight": 0.5}], "quantize": "fp8"}
    job, request = _rendered(live, model=str(model), **own)
    (lora,) = request["loras"]
    assert (lora["path"], lora["weight"]) == (str(file), 0.5)
    assert request["quantize"] == "fp8"
    (used,) = (
        one for one in request["options"]["as_rendered"]["weights"] if one["role"] == "loras[0]"
    )
    assert used["file"] == "ink.safetensors"
    assert len(used["sha256"]) == 64
    plain, _ = _rendered(live, model=str(model))
    assert live.get(job["video_url"]).content != live.get(plain["video_url"]).content


def test_weights_that_cannot_be_used_are_refused_field_by_field(
    live: LiveServer, folder: Path
) -> None:
    def told(answer: Any) -> dict[str, str]:
        assert answer.status_code == 400, answer.text
        return {one["field"]: one["problem"] for one in answer.json()["errors"]}

    model = save("wan", folder)
    missing = {"loras": [{"path": str(folder / "none.safetensors")}], "vae": str(folder / "no")}
    problems = told(_asked(live, model=str(model), **missing))
    assert "There is no file" in problems["loras[0]"]
    assert "There is no file or folder" in problems["vae"]
    own = {"loras": [{"path": "ink.safetensors"}], "quantize": "fp8"}
    problems = told(_asked(live, engine="animatic", **own))
    assert problems.keys() == {"loras", "quantize"}
    assert problems["loras"].startswith("The storyboard engine takes no LoRAs")


def test_last_image_mask_and_keyframes_are_uploads_or_jobs(live: LiveServer, folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    headers = {"Content-Type": "image/png"}
    picture = cv2.imencode(".png", noise)[1].tobytes()
    sent = live.request("POST", "/api/video/inputs", content=picture, headers=headers)
    upload = sent.json()["input_id"]
    drawn, _ = _rendered(live, engine="animatic")
    sources = (upload, drawn["job_id"])
    for source in sources:
        model = str(save("ltx-2", folder))
        _, request = _rendered(live, model=model, last_image=source)
        assert Path(request["options"]["last_image"]).is_file()
        assert request["options"]["as_rendered"]["pipeline"] == "LTX2ConditionPipeline"
        keyframes = [{"at_s": 0.0, "image": source}]
        _, request = _rendered(live, model=model, keyframes=keyframes)
        (kept,) = request["options"]["keyframes"]
        assert Path(kept["image"]).is_file()
    for source in sources:
        asked = {"video": drawn["job_id"], "mask": source}
        _, request = _rendered(live, model=str(save("wan-vace", folder)), **asked)
        assert Path(request["options"]["mask"]).is_file()
        assert request["options"]["as_rendered"]["family"] == "wan-vace"
