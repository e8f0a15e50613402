"""Models that have an encoder in common share one copy of it when one follows the other."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch

from tests.engines.diffusers.conftest import Ask, Stage
from tests.engines.diffusers.tiny_parts import WAN_SHAPE
from workbench.engines.diffusers import DiffusersEngine
from workbench.engines.probe import decode_video
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def _other(first: Path, folder: Path, encoder: str) -> str:
    """Save a model with another transformer; its encoder is the first one's, or a changed copy."""
    shutil.copytree(first, folder)
    torch.manual_seed(1)
    transformer = diffusers.WanTransformer3DModel(**WAN_SHAPE, in_channels=16, out_channels=16)
    transformer.save_pretrained(folder / "transformer")
    own = folder / "text_encoder" / "model.safetensors"
    theirs = first / "text_encoder" / "model.safetensors"
    if encoder == "linked":
        own.unlink()
        own.symlink_to(theirs)
    elif encoder == "same digest":
        for place in (theirs, own):
            blobs = place.parents[2] / place.parents[1].name / "blobs"
            blobs.mkdir()
            blob = blobs / hashlib.sha256(place.read_bytes()).hexdigest()
            shutil.move(place, blob)
            place.symlink_to(blob)
    return str(folder)


def _encoder(stage: Stage) -> Any:
    assert stage.engine._model is not None
    return stage.engine._model.pipe.text_encoder


def _frames(folder: Path) -> list[Any]:
    return list(decode_video(folder / "video.mp4"))


@pytest.mark.parametrize("memory", ["full", "group_offload"])
@pytest.mark.parametrize("encoder", ["linked", "same digest"])
def test_a_shared_encoder_stays_in_memory_and_the_frames_are_those_of_a_fresh_model(
    encoder: str,
    memory: str,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    first = shutil.copytree(models("wan"), tmp_path / "first")
    second = _other(first, tmp_path / "second", encoder)
    options = {"memory": memory}
    _, folder = stage.render(ask("wan", model=str(first), options=options))
    before, kept = _frames(folder), _encoder(stage)
    _, folder = stage.render(ask("wan", model=second, options=options))
    assert _encoder(stage) is kept
    shared = _frames(folder)
    _, folder = stage.render(ask("wan", model=str(first), options=options))
    assert _encoder(stage) is kept
    assert all((a == b).all() for a, b in zip(before, _frames(folder), strict=True))
    stage.engine = DiffusersEngine(Settings())
    _, folder = stage.render(ask("wan", model=second, options=options))
    assert all((a == b).all() for a, b in zip(shared, _frames(folder), strict=True))
    assert any((a != b).any() for a, b in zip(before, shared, strict=True))


def test_an_encoder_of_other_files_or_another_format_is_loaded(
    ask: Ask, stage: Stage, models: Callable[[str], Path], tmp_path: Path
) -> None:
    first = models("wan")
    copied = _other(first, tmp_path / "copied", "copied")
    stage.render(ask("wan", model=str(first)))
    kept = _encoder(stage)
    stage.render(ask("wan", model=copied))
    assert _encoder(stage) is not kept
    linked = _other(first, tmp_path / "linked", "linked")
    stage.render(ask("wan", model=str(first)))
    kept = _encoder(stage)
    stage.render(ask("wan", model=linked, options={"dtype": "bfloat16"}))
    assert _encoder(stage) is not kept
