"""The scorers in docs/research.md run as they are printed, but for their paths."""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.live_server import ROOT
from tests.measures.clips import FPS
from tests.measures.tiny_clip import save
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.measures.scorers import ScorerProcess

PAGE = (ROOT / "docs" / "research.md").read_text("utf-8")
RECIPE: dict[str, Any] = {"request": {"prompt": "a red kite"}}
STAND_IN = """
import json
from pathlib import Path

class VBench:
    def __init__(self, device, full_info_dir, output_path):
        assert device == "cuda"
        self.folder = output_path

    def evaluate(self, videos_path, name, dimension_list=None, mode="vbench_standard"):
        assert Path(videos_path).is_file() and mode == "custom_input"
        found = {one: [0.75, [{"video_path": videos_path}]] for one in dimension_list}
        Path(self.folder, f"{name}_eval_results.json").write_text(json.dumps(found))
"""


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "video.mp4"
    rng = np.random.default_rng(0)
    with VideoWriter(path, 64, 64, FPS) as writer:
        writer.write(rng.integers(0, 255, (20, 64, 64, 3)).astype(np.uint8))
    return path


def _documented(name: str, folder: Path, paths: dict[str, str], patch: pytest.MonkeyPatch) -> str:
    """Write the block with the class ``name`` to a module; return its target."""
    (block,) = (
        one for one in re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL) if f"class {name}:" in one
    )
    for printed, used in paths.items():
        assert printed in block
        block = block.replace(printed, used)
    (folder / f"documented_{name.lower()}.py").write_text(block, "utf-8")
    patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return f"documented_{name.lower()}:{name}"


def test_the_aesthetic_scorer_runs_as_printed(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from safetensors.torch import save_file

    folder = save(tmp_path / "clip-vit-large-patch14")
    weight, bias = torch.linspace(-2, 2, 8)[None], torch.tensor([5.0])
    save_file({"weight": weight, "bias": bias}, tmp_path / "aesthetic_head.safetensors")
    target = _documented("Aesthetic", tmp_path, {"/models": str(tmp_path)}, monkeypatch)
    with closing(ScorerProcess("aesthetic", target, timeout_s=300)) as scorer:
        found = scorer.score(video, RECIPE)
        assert scorer.is_lower_better is False

    clip = transformers.CLIPModel.from_pretrained(folder).eval()
    processor = transformers.CLIPProcessor.from_pretrained(folder)
    inputs = processor(
        text=["a red kite"], images=list(decode_video(video))[::8], return_tensors="pt"
    )
    with torch.inference_mode():
        embeddings = clip(**inputs).image_embeds  # projected and of length 1
    expected = float((embeddings @ weight.T + bias).mean())
    assert 0 < expected < 10
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_vbench_scorer_runs_as_printed_with_a_stand_in_for_vbench(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vbench.py").write_text(STAND_IN, "utf-8")
    paths = {"/envs/vbench/bin/python": sys.executable}
    target = _documented("SubjectConsistency", tmp_path, paths, monkeypatch)
    with closing(ScorerProcess("subject_consistency", target, timeout_s=300)) as scorer:
        assert scorer.score(video, RECIPE) == 0.75
