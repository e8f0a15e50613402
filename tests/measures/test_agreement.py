"""Agreement is the cosine of a CLIP model's video and prompt embeddings; random weights here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.measures.clips import FPS
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.errors import EngineUnavailable
from workbench.measures.agreement import prompt_agreement

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
SIZE = 32


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a tiny CLIP with random weights in the usual layout."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("clip")
    words = ["[PAD]", "[UNK]", "a", "red", "blue", "kite"]
    core = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", eos_token="[PAD]"
    )
    parts = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "projection_dim": 8}
    config = transformers.CLIPConfig(
        text_config={**parts, **heads, "vocab_size": 6, "max_position_embeddings": 10},
        vision_config={**parts, **heads, "image_size": SIZE, "patch_size": 8},
        projection_dim=8,
    )
    torch.manual_seed(0)
    transformers.CLIPModel(config).eval().save_pretrained(folder)
    images = transformers.CLIPImageProcessor(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}
    )
    transformers.CLIPProcessor(image_processor=images, tokenizer=tokenizer).save_pretrained(folder)
    return folder


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
