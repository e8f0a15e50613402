"""Builds the requests of new segments: a storyboard's, and a model's. Queues nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from workbench.control import CameraControl
from workbench.engines.completion import CompleteRequest
from workbench.errors import InvalidRequest
from workbench.jobs.client.leading import storyboard_of, waiting_control
from workbench.prompts.writer import scene_of
from workbench.render_requests import PlacedPrompt
from workbench.rendering import INPUTS, Control, RenderParameters, RenderRequest, RolloutSegment
from workbench.rollouts.leads import Lead
from workbench.rollouts.model import Origin, RolloutParameters, segment_of
from workbench.rollouts.paths import MOST_FRAMES, Way, refused, size_of, way_from

if TYPE_CHECKING:
    from workbench.jobs.client.manager import JobManager
    from workbench.render_requests import RenderRequests

__all__ = ["MOST_SEGMENTS", "Segments"]

MOST_SEGMENTS: Final = 256
"""Segments of a rollout; each is a job."""
_SEGMENT_S: Final = 2.0
_DRAWN: Final = ("engine", "prompt", "scene", "seed", "width", "height", "fps")
_SAME_MODEL: Final = (
    "engine", "model", "profile", "width", "height", "fps", "num_inference_steps",
    "guidance_scale", "negative_prompt", "loras", "transformer", "transformer_2", "text_encoder",
    "vae", "quantize",
)  # fmt: skip
_OF_ONE_SEGMENT: Final = frozenset({*INPUTS, "tail", "rollout", "as_rendered"} - {"references"})
"""Options that the next segment does not inherit."""
_SEED_LIMIT: Final = 2**63


class Segments:
    """Builds segments with the engines of one ``outputs/``."""

    def __init__(self, jobs: JobManager, requests: RenderRequests) -> None:
        self._jobs = jobs
        self._requests = requests

    def drawn(self, origin: Origin, asked: RolloutParameters) -> list[CompleteRequest]:
        """Return a storyboard's segments: later parts of one film."""
        base, fps = origin.base, float(origin.base.fps or 24)
        if asked.actions is None:
            raise refused("actions", "is required: describe the storyboard's camera path")
        whole, words = way_from(base, origin.way, asked.actions, asked.seconds, fps)
        if len(whole) > origin.planned:
            raise refused(
                "seconds",
                f"would make the world {len(whole) / fps:g} s long, but it is planned for "
                f"{origin.planned / fps:g} s: roll it out with a larger planned_s",
            )
        length = max(1, round((asked.segment_s or _SEGMENT_S) * fps))
        if len(whole) - origin.start > MOST_SEGMENTS * length:
            raise _too_many()
        place = RolloutSegment(
            start=origin.start, planned=origin.planned, parent=origin.parent, fork=origin.start
        )
        kept = {name: getattr(base, name) for name in _DRAWN}
        requests = []
        for start in range(origin.start, len(whole), length):
            end = min(len(whole), start + length)
            camera = whole.part(0, end, fps, size_of(base))
            camera = camera.model_copy(update={"words": words, "way": "poses"})
            options = {"rollout": place.model_copy(update={"start": start}).model_dump()}
            request = RenderRequest(**kept, num_frames=end - start, camera=camera, options=options)
            requests.append(self._jobs.complete(request))
        return requests

    def made(self, origin: Origin, asked: RolloutParameters) -> list[CompleteRequest]:
        """Return a model's segments; each continues the previous one."""
        fps = float(origin.base.fps or 24)
        whole: Way | None = None
        if asked.actions is not None:
            whole, _ = way_from(origin.base, origin.way, asked.actions, asked.seconds, fps)
        wanted = round(asked.seconds * fps) if asked.seconds else 1
        if whole is not None and not asked.seconds:
            wanted = len(whole) - origin.start
        led = Lead.of(origin, asked, fps)
        requests: list[CompleteRequest] = []
        start = origin.start
        # The engine decides the length and overlap of a segment; then camera and control are cut.
        while start < origin.start + wanted:
            if len(requests) == MOST_SEGMENTS:
                raise _too_many()
            begun = {"control": led.part(start)} if led else {}
            made = self._segment(origin, asked, len(requests), start, **begun)
            segment = segment_of(made.request)
            end = start + (made.request.num_frames or 0) - segment.overlap
            if led is not None and end > led.num_frames:
                if asked.control is not None or led.control.waits:
                    raise led.ends_before(end)
                led = None
                continue
            if end > MOST_FRAMES:
                raise refused("seconds", f"makes the world longer than {MOST_FRAMES} frames")
            more: dict[str, Any] = {}
            if led is not None and segment.overlap:
                more["control"] = led.part(start - segment.overlap)
            if whole is not None:
                first = start - segment.overlap
                count = made.request.num_frames or 0
                more["camera"] = whole.part(first, count, fps, size_of(origin.base))
            if asked.last_image and end >= origin.start + wanted:
                more["last_image"] = asked.last_image
            if more:
                made = self._segment(origin, asked, len(requests), start, **{**begun, **more})
            requests.append(made)
            start = end
        return requests

    def storyboard(
        self, origin: Origin, asked: RolloutParameters, segments: Sequence[CompleteRequest]
    ) -> CompleteRequest:
        """Return the storyboard that a model's ``segments`` follow, from the start of the world.

        It shows the prompt that the world begins with, along the camera of the whole world. Up to a
        fork it is that of the parent.
        """
        last = segments[-1].request
        segment = segment_of(last)
        fps, end = float(last.fps or 24), segment.start - segment.overlap + (last.num_frames or 0)
        control = waiting_control(last)
        if control is None:
            raise ValueError("the segments follow no storyboard of their own")
        if origin.storyboard is not None:
            begun = origin.storyboard.model_copy(update={"channels": (control.kind,)})
        else:
            begun = storyboard_of(segments[0].request, control)
        planned = origin.led_frames(asked, fps)
        camera = self._camera(origin, asked, end, fps)
        changed = {"num_frames": end, "camera": camera, "options": {"planned": planned}}
        return self._jobs.complete(begun.model_copy(update=changed))

    def _camera(
        self, origin: Origin, asked: RolloutParameters, end: int, fps: float
    ) -> CameraControl | None:
        """Return the camera of a world's first ``end`` frames; None if nothing steers it."""
        base, size = origin.base, size_of(origin.base)
        if asked.actions is not None:
            whole, _ = way_from(base, origin.way, asked.actions, asked.seconds, fps)
            return whole.part(0, end, fps, size)
        if origin.storyboard is not None:
            return None if origin.storyboard.camera is None else origin.way.part(0, end, fps, size)
        if base.camera is None:
            return None
        path = base.camera.camera_path()
        return Way.of(path, base.num_frames or 1, fps, size).part(0, end, fps, size)

    def _segment(
        self,
        origin: Origin,
        asked: RolloutParameters,
        index: int,
        start: int,
        *,
        control: Control | None = None,
        **more: Any,
    ) -> CompleteRequest:
        """Return one complete segment of a model."""
        base = origin.base
        is_first = start == 0
        prompt = asked.prompts[min(index, len(asked.prompts) - 1)] if asked.prompts else base.prompt
        scene = base.scene if prompt == base.prompt else scene_of(prompt)
        segment = RolloutSegment(
            start=start,
            parent=origin.parent,
            fork=origin.start,
            bounds=asked.bounds,
            most_retakes=asked.most_retakes,
            of=origin.remakes if is_first else "",
        )
        options = {
            name: value
            for name, value in base.options.items()
            if is_first or name not in _OF_ONE_SEGMENT
        }
        if control is not None:
            options["control"] = control.model_dump()
        options["rollout"] = segment.model_dump(mode="json")
        if index == 0 and origin.cut:
            options["tail"] = {"num_frames": origin.cut}
        values = {name: getattr(base, name) for name in _SAME_MODEL}
        values = {name: value for name, value in values.items() if value not in (None, "", ())}
        if is_first and base.camera is not None:
            more.setdefault("camera", base.camera.as_given)
        # A fork numbers its seeds like its parent: equal actions give equal frames.
        seed = base.seed + bool(origin.count) if asked.seed is None else asked.seed
        seed = (seed + index) % _SEED_LIMIT
        parameters = RenderParameters.of({**values, **more, "options": options})
        placed = PlacedPrompt(prompt, scene)
        if asked.segment_s:
            from workbench.actions.render_settings import RenderSettings  # noqa: PLC0415

            placed = replace(placed, settings=RenderSettings(seconds=asked.segment_s))
            return self._requests.of(placed, parameters, seed)
        usual = parameters.model_copy(update={"num_frames": base.num_frames})
        try:
            return self._requests.of(placed, usual, seed)
        except InvalidRequest as error:
            if {problem.field for problem in error.problems} != {"num_frames"}:
                raise
            return self._requests.of(placed, parameters, seed)


def _too_many() -> InvalidRequest:
    return refused(
        "segment_s", f"makes more than {MOST_SEGMENTS} segments: ask for longer ones, or for less"
    )
