"""Maps a request to the call arguments of a pipeline.

Most differences between families are data, in ``families.toml``; the rest is here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from workbench.control import SANA_WM, CameraControl, Intrinsics, parse_keys
from workbench.engines.diffusers.dmd import dmd_scheduler
from workbench.engines.diffusers.families import Family
from workbench.engines.diffusers.options import Options
from workbench.engines.diffusers.soundtrack import outputs_wanted
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import RenderRequest

__all__ = [
    "call_arguments",
    "chunk_sizes",
    "is_modular",
    "own_fps",
    "parameters_of",
    "set_guidance",
    "set_scheduler",
]

_ADAPTED: Final = ("strength", "guidance_scale_2", "true_cfg_scale", "decode_timestep",
                   "decode_noise_scale", "max_sequence_length")  # fmt: skip
_SKYREELS_BASE_FRAMES: Final = 97
_SAME_FPS: Final = 1e-3


def is_modular(pipe: Any) -> bool:
    """Return whether ``pipe`` is a modular pipeline, assembled from blocks."""
    return hasattr(pipe, "update_components")


def parameters_of(pipe: Any) -> dict[str, Any]:
    """Return the parameters of ``pipe``'s call and their defaults (``Parameter.empty`` if none)."""
    if not is_modular(pipe):
        taken = inspect.signature(pipe.__call__).parameters
        return {name: parameter.default for name, parameter in taken.items()}
    nothing = inspect.Parameter.empty
    return {
        given.name: nothing if given.required else given.default
        for given in pipe.blocks.inputs
        if given.name
    }


def own_fps(pipe: Any) -> float | None:
    """Return the default frames per second of ``pipe``'s call; None if unknown."""
    own = parameters_of(pipe)
    found = (own.get(name) for name in ("fps", "frame_rate"))
    return next((float(fps) for fps in found if isinstance(fps, int | float)), None)


def call_arguments(
    pipe: Any, request: RenderRequest, options: Options, family: Family
) -> dict[str, Any]:
    """Return the keyword arguments of ``pipe``'s call, without generator and callback.

    Raises ``InvalidRequest`` for options that this pipeline does not take.
    """
    takes = parameters_of(pipe)
    wanted: dict[str, Any] = {
        "prompt": request.text_for_model,
        "negative_prompt": request.negative_prompt or None,
        "width": request.width and request.width // family.scale,
        "height": request.height and request.height // family.scale,
        "num_frames": request.num_frames,
        "fps": request.fps,
        "num_inference_steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale if family.guidance == "call" else None,
        "output_type": "np",
    }
    arguments = {}
    for name, value in wanted.items():
        theirs = _their_name(name, family, takes)
        if value is not None and theirs in takes:
            arguments[theirs] = value
    for name in _ADAPTED:
        value = getattr(options, name)
        if value is not None and name in takes:
            arguments[name] = value
    arguments.update({k: v for k, v in family.fixed.items() if k in takes})
    if is_modular(pipe):
        arguments["output"] = outputs_wanted(pipe) if options.sound else "videos"
    if adapt := _DIFFERENT.get(type(pipe).__name__):
        adapt(pipe, arguments, request, options)
    arguments.update(_further(pipe, options, takes))
    return arguments


def set_guidance(pipe: Any, request: RenderRequest, family: Family) -> None:
    """Set the guidance of a pipeline that has a guider."""
    kept = family.guidance == "guider" or is_modular(pipe)
    if kept and request.guidance_scale is not None and getattr(pipe, "guider", None) is not None:
        _put(pipe, "guider", pipe.guider.new(guidance_scale=request.guidance_scale))


def set_scheduler(pipe: Any, options: Options, original: Any, generator: Any) -> float | None:
    """Give ``pipe`` the scheduler for ``options``, made from the ``original`` one as loaded.

    ``generator`` is that of the call. Returns the shift in effect; None if there is no scheduler or
    it has none.
    """
    if original is None:
        return None
    shift = options.flow_shift
    if options.dmd_steps:
        _put(pipe, "scheduler", dmd_scheduler(options.dmd_steps, shift or 1.0, generator))
        return shift or 1.0
    names = [name for name in ("flow_shift", "shift") if name in original.config]
    if not names:
        return None
    changed = {} if shift is None else {names[0]: shift}
    _put(pipe, "scheduler", type(original).from_config(original.config, **changed))
    return float(pipe.scheduler.config[names[0]])


def _put(pipe: Any, name: str, component: Any) -> None:
    if is_modular(pipe):
        pipe.update_components(**{name: component})
    else:
        setattr(pipe, name, component)


def _their_name(name: str, family: Family, takes: Mapping[str, Any]) -> str:
    if name in family.names:
        return family.names[name]
    if name in takes:
        return name
    others = {"num_frames": ("frames", "video_length"), "fps": ("frame_rate",)}
    return next((one for one in others.get(name, ()) if one in takes), name)


def _further(pipe: Any, options: Options, takes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options.call) - set(takes))
    if unknown:
        problems = tuple(
            FieldProblem(f"options.call.{name}", f"{type(pipe).__name__} does not accept {name!r}.")
            for name in unknown
        )
        raise InvalidRequest(" ".join(one.problem for one in problems), problems)
    return dict(options.call)


def _hunyuan_video(
    _pipe: Any, arguments: dict[str, Any], _request: RenderRequest, _options: Options
) -> None:
    """Guidance is embedded: a negative prompt applies only with true guidance above 1."""
    if arguments.get("true_cfg_scale", 1.0) <= 1.0:
        arguments.pop("negative_prompt", None)


def _hunyuan_video_from_image(
    pipe: Any, arguments: dict[str, Any], request: RenderRequest, options: Options
) -> None:
    """Some weights make the image's latent frame too, which the pipeline leaves out: 4 frames."""
    _hunyuan_video(pipe, arguments, request, options)
    if getattr(pipe.transformer.config, "image_condition_type", None) == "latent_concat":
        arguments["num_frames"] = (request.num_frames or 1) + int(pipe.vae_scale_factor_temporal)


def _cosmos_3(
    pipe: Any, arguments: dict[str, Any], request: RenderRequest, options: Options
) -> None:
    """A JSON caption states length and size itself; plain texts get sentences that do so.

    As in the authors' inference code.
    """
    is_plain = not request.text_for_model.startswith("{")
    arguments["add_duration_template"] = arguments["add_resolution_template"] = is_plain
    arguments["enable_safety_check"] = options.safety_checker
    has_sound = pipe.sound_tokenizer is not None and pipe.transformer.config.sound_gen
    arguments["enable_sound"] = options.sound and has_sound


def _kandinsky_6(
    pipe: Any, arguments: dict[str, Any], _request: RenderRequest, options: Options
) -> None:
    arguments["sample_audio"] = options.sound and pipe.vocoder is not None


def _framepack(
    _pipe: Any, arguments: dict[str, Any], request: RenderRequest, options: Options
) -> None:
    """A section of w latent frames counts as 4·(w - 1) + 1 frames and makes 4·w."""
    window = int(options.call.get("latent_window_size", 9))
    sections = ((request.num_frames or 1) - 1) // (4 * window)
    arguments["num_frames"] = sections * (4 * (window - 1) + 1)


def _helios_pyramid(
    pipe: Any, arguments: dict[str, Any], request: RenderRequest, _options: Options
) -> None:
    """Give each size of the pyramid the same share of the steps, at least one."""
    stages = int(pipe.scheduler.config.stages)
    steps = request.num_inference_steps or 10 * stages
    arguments["pyramid_num_inference_steps_list"] = [max(1, steps // stages)] * stages


def _sana_wm(
    _pipe: Any, arguments: dict[str, Any], request: RenderRequest, options: Options
) -> None:
    """Follow the request's camera or the call's; by default a static one with a 60° view."""
    import numpy as np  # noqa: PLC0415

    frames = request.num_frames or 1
    width, height = request.width or 1, request.height or 1
    if request.camera is not None:
        arguments.update(_steered(request.camera, request))
        return
    arguments["intrinsics"] = list(Intrinsics.of_view(width, height).vector)
    action, poses = options.call.get("action"), options.call.get("c2w")
    if action is None and poses is None:
        arguments["c2w"] = np.tile(np.eye(4), (frames, 1, 1))
        return
    from diffusers.pipelines.sana_wm.cam_utils import action_string_to_c2w  # noqa: PLC0415

    steered = len(poses or ()) if action is None else len(action_string_to_c2w(str(action)))
    if steered < frames:
        text = f"The camera is steered for {steered} frames, fewer than the {frames} to be made."
        raise InvalidRequest(text, (FieldProblem("options.call", text),))


def _steered(camera: CameraControl, request: RenderRequest) -> dict[str, Any]:
    """Return Sana-WM's arguments for ``camera``.

    Keys that last long enough at the model's own rate are passed unchanged, all else as poses. The
    lens is scaled to the size of the render; there is one per frame if it zooms.
    """
    import numpy as np  # noqa: PLC0415

    path = camera.camera_path()
    frames, fps = request.num_frames or 1, request.fps or SANA_WM.fps
    lens, middle = path.intrinsics, np.array([0, 0, 0.5, 0.5])
    scale = np.array([request.width or lens.width, request.height or lens.height] * 2)
    scale = scale / ([lens.width, lens.height] * 2)
    lenses = (path.lenses(frames, fps) + middle) * scale - middle
    arguments: dict[str, Any] = {
        "intrinsics": lenses.astype(np.float32) if path.zooms else lenses[0].tolist()
    }
    own_rate = path.fps is not None and abs(path.fps - fps) < _SAME_FPS
    if camera.is_keys and own_rate and len(parse_keys(camera.said)) + 1 >= frames:
        return arguments | {"action": camera.said}
    return arguments | {"c2w": path.relative().poses(frames, fps)}


def _anyflow_far(
    pipe: Any, arguments: dict[str, Any], request: RenderRequest, _options: Options
) -> None:
    """Split the length into chunks of latent frames, as the model's code does."""
    arguments["chunk_partition"] = chunk_sizes(pipe, request.num_frames or 1)


def chunk_sizes(pipe: Any, num_frames: int) -> list[int]:
    """Return the latent frames of each chunk in which AnyFlow FAR makes a video."""
    first, usual = pipe.transformer.config.chunk_partition[:2]
    left = (num_frames - 1) // int(pipe.vae_scale_factor_temporal) + 1
    chunks = [min(left, first)]
    while (left := left - chunks[-1]) > 0:
        chunks.append(min(left, usual))
    return chunks


def _skyreels_forcing(
    _pipe: Any, arguments: dict[str, Any], request: RenderRequest, options: Options
) -> None:
    """A video longer than the base length is made in overlapping pieces."""
    if (request.num_frames or 0) > _SKYREELS_BASE_FRAMES and "overlap_history" not in options.call:
        arguments["overlap_history"] = 17


_DIFFERENT: Final[Mapping[str, Callable[[Any, dict[str, Any], RenderRequest, Options], None]]] = {
    "HunyuanVideoPipeline": _hunyuan_video,
    "HunyuanVideoImageToVideoPipeline": _hunyuan_video_from_image,
    "Cosmos3OmniPipeline": _cosmos_3,
    "Kandinsky6TI2VAPipeline": _kandinsky_6,
    "HunyuanVideoFramepackPipeline": _framepack,
    "AnyFlowFARPipeline": _anyflow_far,
    "HeliosPyramidPipeline": _helios_pyramid,
    "SanaWMPipeline": _sana_wm,
    "SkyReelsV2DiffusionForcingPipeline": _skyreels_forcing,
    "SkyReelsV2DiffusionForcingImageToVideoPipeline": _skyreels_forcing,
    "SkyReelsV2DiffusionForcingVideoToVideoPipeline": _skyreels_forcing,
}
