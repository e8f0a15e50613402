"""Agreement is the cosine of a CLIP model's video and prompt embeddings; random weights here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.measures.clips import FPS
from tests.measures.tiny_clip import save
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.errors import EngineUnavailable
from workbench.measures.agreement import prompt_agreement

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("clip"))


def test_agreement_is_the_mean_cosine_of_eight_frames_and_the_prompt(
    model: Path, tmp_path: Path
) -> None:
    video = tmp_path / "video.mp4"
    rng = np.random.default_rng(0)
    with VideoWriter(video, 64, 64, FPS) as writer:
        writer.write(rng.integers(0, 255, (20, 64, 64, 3)).astype(np.uint8))
    settings = wb.Settings(outputs=tmp_path)
    asked = {"one": (video, "a red kite"), "long": (video, "blue kite " * 40)}
    found = prompt_agreement(asked, str(model), settings)
    assert set(found) == {"one", "long"}

    clip = transformers.CLIPModel.from_pretrained(model)
    processor = transformers.AutoProcessor.from_pretrained(model)
    frames = list(decode_video(video))
    chosen = [frames[i] for i in np.linspace(0, 19, 8).round().astype(int)]
    inputs = processor(
        text=["a red kite"], images=chosen, return_tensors="pt", padding="max_length", max_length=10
    )
    with torch.inference_mode():
        out = clip(**inputs)
    cosines = torch.nn.functional.cosine_similarity(out.image_embeds, out.text_embeds)
    assert found["one"] == pytest.approx(float(cosines.mean()), abs=1e-5)
    assert found["one"] != pytest.approx(found["long"], abs=1e-4)


def test_a_missing_model_is_reported(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="cannot measure agreement"):
        prompt_agreement({}, str(tmp_path / "nothing"), wb.Settings(outputs=tmp_path))
