"""Fake model folders: real weight headers over sparse files, quick to write."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from pathlib import Path

__all__ = ["in_hub_cache", "write_model"]

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
    text_encoder: int = 5 * GIB,
    takes_image: bool = False,
    class_name: str = "WanPipeline",
) -> Path:
    """Write a Wan model whose networks have that many parameters; return its folder."""
    index = {
        "_class_name": class_name,
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    sizes = {"transformer": transformer, "text_encoder": text_encoder, "vae": 9}
    for name, numbers in sizes.items():
        _weights(folder / name / "model.safetensors", numbers)
    channels = json.dumps({"in_channels": 36 if takes_image else 16})
    (folder / "transformer" / "config.json").write_text(channels)
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def in_hub_cache(repository: Path, file: Path) -> Path:
    """Copy ``file`` into a repository of a hub cache, as the hub's library does; return the link."""
    blob = repository / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
    link = repository / "snapshots" / "abc" / file.name
    for one in (blob, link):
        one.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, blob)
    link.symlink_to(Path("..", "..", "blobs", blob.name))
    return link
