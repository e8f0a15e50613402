"""Fake model folders: real weight headers over sparse files, quick to write."""

from __future__ import annotations

import json
import struct
from pathlib import Path

__all__ = ["write_model"]

GIB = 1 << 30


def _weights(path: Path, numbers: int) -> None:
    """Write a header for ``numbers`` parameters over a sparse file of their size."""
    head = {"a": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}
    text = json.dumps(head).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + 4 * numbers)


def write_model(
    folder: Path,
    *,
    transformer: int = GIB,
    takes_image: bool = False,
    class_name: str = "WanPipeline",
) -> Path:
    """Write a Wan model whose transformer has that many parameters; return its folder."""
    index = {
        "_class_name": class_name,
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    for name, numbers in {"transformer": transformer, "text_encoder": 5 * GIB, "vae": 9}.items():
        _weights(folder / name / "model.safetensors", numbers)
    channels = json.dumps({"in_channels": 36 if takes_image else 16})
    (folder / "transformer" / "config.json").write_text(channels)
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder
