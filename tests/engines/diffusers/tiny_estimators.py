"""Tiny models with random weights of the real classes that estimate depth, poses and segments."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
import transformers

__all__ = ["ESTIMATORS", "save_estimator"]

_STAGES: Final = ["stage1", "stage2", "stage3", "stage4"]
_SMALL: Final = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}


def save_estimator(name: str, folder: Path) -> Path:
    """Make the estimator ``name`` and save it in ``folder``, as its authors publish it."""
    target = folder / name
    torch.manual_seed(0)
    model, processor = ESTIMATORS[name]()
    model.save_pretrained(target)
    processor.save_pretrained(target)
    file = target / "preprocessor_config.json"
    facts = json.loads(file.read_text())
    facts["image_processor_type"] = facts["image_processor_type"].removesuffix("Pil")
    file.write_text(json.dumps(facts))
    return target


def _depth_anything(kind: str = "relative") -> tuple[Any, Any]:
    backbone = transformers.Dinov2Config(
        num_hidden_layers=4, image_size=56, patch_size=14, mlp_ratio=2, out_features=_STAGES,
        reshape_hidden_states=False, hidden_size=16, num_attention_heads=2,
    )  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=16,
        neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8, head_hidden_size=8,
        depth_estimation_type=kind,
    )  # fmt: skip
    processor = transformers.DPTImageProcessorPil(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    model = transformers.DepthAnythingForDepthEstimation(config)
    with torch.no_grad():  # an untrained model would find the same depth everywhere
        for values in (*model.neck.parameters(), *model.head.parameters()):
            values.mul_(8)
    return model, processor


def _dpt() -> tuple[Any, Any]:
    config = transformers.DPTConfig(
        **_SMALL, num_hidden_layers=4, image_size=32, patch_size=16, is_hybrid=False,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
    )  # fmt: skip
    processor = transformers.DPTImageProcessorPil(size={"height": 32, "width": 32})
    return transformers.DPTForDepthEstimation(config), processor


def _zoedepth() -> tuple[Any, Any]:
    backbone = transformers.BeitConfig(
        **_SMALL, image_size=32, patch_size=16, num_hidden_layers=4, out_features=_STAGES,
        reshape_hidden_states=False, use_relative_position_bias=True,
    )  # fmt: skip
    config = transformers.ZoeDepthConfig(
        backbone_config=backbone, backbone_hidden_size=16, neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8, bottleneck_features=8, num_relative_features=8, bin_embedding_dim=8,
        num_attractors=[2, 2, 2, 1],
        bin_configurations=[{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0, "name": "nyu"}],
    )  # fmt: skip
    processor = transformers.ZoeDepthImageProcessorPil(
        size={"height": 32, "width": 32}, ensure_multiple_of=16
    )
    return transformers.ZoeDepthForDepthEstimation(config), processor


def _vitpose() -> tuple[Any, Any]:
    backbone = transformers.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=16, num_hidden_layers=2,
        num_attention_heads=2, out_indices=[2],
    )  # fmt: skip
    config = transformers.VitPoseConfig(
        backbone_config=backbone, num_labels=17, use_simple_decoder=True
    )
    model = transformers.VitPoseForPoseEstimation(config)
    with torch.no_grad():  # an untrained model would be sure of no joint
        model.head.conv.weight.mul_(60)
    processor = transformers.VitPoseImageProcessorPil(size={"height": 64, "width": 48})
    return model, processor


def _rt_detr() -> tuple[Any, Any]:
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=_STAGES[1:],
    )  # fmt: skip
    config = transformers.RTDetrConfig(
        backbone_config=backbone, encoder_hidden_dim=16, encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=16, encoder_attention_heads=2, d_model=16, num_queries=10,
        decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16, decoder_layers=2,
        decoder_attention_heads=2, num_denoising=0,
        id2label={0: "person", 1: "car"}, label2id={"person": 0, "car": 1},
    )  # fmt: skip
    model = transformers.RTDetrForObjectDetection(config)
    with torch.no_grad():  # an untrained model would be sure of nothing
        for head in (*model.model.decoder.class_embed, model.model.enc_score_head):
            head.bias.fill_(0.0)
    return model, transformers.RTDetrImageProcessorPil(size={"height": 64, "width": 64})


def _segformer() -> tuple[Any, Any]:
    config = transformers.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 8, 8], num_attention_heads=[1, 1, 1, 1],
        decoder_hidden_size=8, num_labels=6,
    )  # fmt: skip
    processor = transformers.SegformerImageProcessorPil(size={"height": 64, "width": 64})
    return transformers.SegformerForSemanticSegmentation(config), processor


def _upernet() -> tuple[Any, Any]:
    backbone = transformers.SwinConfig(
        image_size=32, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=2,
        out_features=_STAGES,
    )  # fmt: skip
    config = transformers.UperNetConfig(
        backbone_config=backbone, hidden_size=8, pool_scales=[1, 2], use_auxiliary_head=False,
        num_labels=5,
    )  # fmt: skip
    processor = transformers.SegformerImageProcessorPil(size={"height": 64, "width": 64})
    return transformers.UperNetForSemanticSegmentation(config), processor


ESTIMATORS: Final[Mapping[str, Callable[[], tuple[Any, Any]]]] = MappingProxyType(
    {
        "depth-anything": _depth_anything,
        "depth-anything-metric": lambda: _depth_anything("metric"),
        "dpt": _dpt,
        "zoedepth": _zoedepth,
        "vitpose": _vitpose,
        "rt-detr": _rt_detr,
        "segformer": _segformer,
        "upernet": _upernet,
    }
)
"""Name → the model and its image processor."""
