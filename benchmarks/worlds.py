"""Agreement of the storyboard's channels with its pixels, and speed after a path change.

Run with ``python -m benchmarks.worlds``. Every clip is rendered as a job renders it: the video is
encoded and decoded, the channels are read from their files. The next frame, warped back by
``flow``, is compared with the frame; ``depth`` and ``camera`` are used to compute the same motion;
and the camera is recovered from the video's frames and compared with the commanded path.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

import cv2
import numpy as np

from benchmarks.report import Figure, print_report
from workbench.control import CameraControl, CameraPath, read_path
from workbench.control.rotation import Array
from workbench.engines.animatic import AnimaticEngine
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.preview import strip
from workbench.engines.animatic.reading import read_scene
from workbench.engines.channels import channel_facts, decode_depth, decode_flow, read_channel
from workbench.engines.engine import RenderTask
from workbench.engines.pixels import Image
from workbench.engines.probe import decode_video
from workbench.measures.camera import CameraError, camera_error, recover_camera
from workbench.rendering import Channel, Recipe, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

__all__ = ["CLIPS", "Filmed", "camera_errors", "film_clip", "flow_psnr", "geometry_errors"]

CLIPS: Final = (
    ("a rock", "a meadow", "orbit left 25 degrees"),
    ("a chair", "a kitchen", "push in 0.3 units"),
    ("a statue", "a city street", "truck left 0.3 units while craning up 0.1 units"),
    ("a tent", "mountains", "w-8,jw-8,il-9"),
    ("a rock", "a desert", "pan right 20 degrees, then roll right 8 degrees"),
    ("a boat", "a lake", "arc right 20 degrees and tilt down 4 degrees"),
)
"""Subject, place and path. Nothing but the air moves, so that a camera can be recovered."""

_SIZE: Final = (832, 480)
_FRAMES: Final = 33
_FPS: Final = 24
_FULL: Final = 255.0


@dataclass(frozen=True, slots=True)
class Filmed:
    """One clip: its pictures as decoded, and its channels as read."""

    pictures: list[Image]
    """RGB, H×W×3."""
    flow: list[tuple[Image, Image]]
    depth: list[Image]
    camera: CameraPath
    commanded: CameraPath


def film_clip(
    subject: str, place: str, words: str, *, size: tuple[int, int] = _SIZE, frames: int = _FRAMES
) -> Filmed:
    """Return the storyboard of ``subject`` in ``place``, with all its channels."""
    request = _request(subject, place, words, size=size, frames=frames)
    recipe = Recipe(job_id="clip", created_at=datetime.now(UTC), request=request)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        AnimaticEngine(Settings()).render(RenderTask(recipe, folder, lambda _: None, lambda: False))
        near = channel_facts(folder)["depth"]["near"]
        assert request.camera is not None
        return Filmed(
            list(decode_video(folder / "video.mp4")),
            [decode_flow(one) for one in read_channel(folder / "flow.mkv")],
            [decode_depth(one, near) for one in read_channel(folder / "depth.mkv")],
            read_path(folder / "camera.json").value,
            request.camera.camera_path(),
        )


def flow_psnr(filmed: Filmed) -> tuple[list[float], list[float]]:
    """Return, for each pair of frames, the PSNR (dB) of the next frame moved back, and unmoved.

    Where the motion is known, without the label's corner.
    """
    moved, unmoved = [], []
    pairs = zip(filmed.pictures, filmed.pictures[1:], strict=False)
    for (one, two), (flow, known) in zip(pairs, filmed.flow, strict=False):
        height, width = known.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        back = cv2.remap(two, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
        counted = known & ~_label(known.shape)
        moved.append(_psnr(one[counted], back[counted]))
        unmoved.append(_psnr(one[counted], two[counted]))
    return moved, unmoved


def geometry_errors(filmed: Filmed) -> list[float]:
    """Return, for each pair of frames, the median distance in pixels between two motions.

    One is ``flow``, the other is computed from ``depth`` and ``camera``; clouds drift besides.
    """
    errors = []
    poses = filmed.camera.c2w
    lenses = filmed.camera.lenses(len(poses), filmed.camera.fps)
    for index, (flow, known) in enumerate(filmed.flow[:-1]):
        computed = _reprojected(filmed.depth[index], poses, lenses, index)
        errors.append(float(np.median(np.linalg.norm(flow - computed, axis=-1)[known])))
    return errors


def camera_errors(filmed: Filmed) -> CameraError:
    """Return how far the camera recovered from the pictures is from the commanded path."""
    legs = recover_camera(np.stack(filmed.pictures), filmed.camera.intrinsics)
    return camera_error(legs, filmed.commanded.poses(len(filmed.pictures), _FPS))


def _request(
    subject: str, place: str, words: str, *, size: tuple[int, int], frames: int
) -> RenderRequest:
    camera = CameraControl.of(words).resolved(
        width=size[0], height=size[1], num_frames=frames, fps=_FPS
    )
    return RenderRequest(
        prompt=f"{subject} in {place}",
        scene=Scene(subject=subject, setting=place, time_of_day="midday"),
        seed=5,
        width=size[0],
        height=size[1],
        num_frames=frames,
        fps=_FPS,
        camera=camera,
        channels=get_args(Channel),
        options={"quality": "high"},
    )


def _reprojected(depth: Image, poses: Array, lenses: Array, index: int) -> Any:
    height, width = depth.shape
    fx, fy, cx, cy = lenses[index]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rays = np.stack([(x - cx) / fx, (y - cy) / fy, np.ones_like(x, dtype=float)], axis=-1)
    then = np.linalg.inv(poses[index + 1]) @ poses[index]
    # Divided by the depth, so that the sky, infinitely far, only turns.
    with np.errstate(divide="ignore"):
        seen = rays @ then[:3, :3].T + then[:3, 3] * (1 / depth.astype(float))[..., None]
    fx, fy, cx, cy = lenses[index + 1]
    across, down = (seen[..., i] / seen[..., 2] for i in (0, 1))
    return np.stack([fx * across + cx - x, fy * down + cy - y], axis=-1)


def _label(shape: tuple[int, ...]) -> Any:
    """Return the area of the label, which moves with the frame, not with the world."""
    covered = np.zeros(shape, bool)
    covered[-round(0.1 * shape[0]) :, shape[1] // 2 :] = True
    return covered


def _psnr(one: Image, other: Image) -> float:
    error = float(((one.astype(np.float64) - other.astype(np.float64)) ** 2).mean())
    return float(10 * np.log10(_FULL**2 / max(error, 1e-9)))


def _changed_path_ms() -> Iterator[float]:
    """Yield the processor time from a changed path to its first picture, in milliseconds."""
    width, height = _SIZE
    for subject, place, words in CLIPS:
        script = read_scene(Scene(subject=subject, setting=place, time_of_day="midday"), 5)
        started = time.process_time()
        camera = CameraControl.of(words).resolved(
            width=width // 2, height=height // 2, num_frames=81, fps=_FPS
        )
        film = Film(script, width // 2, height // 2, 81, _FPS, steered=camera.camera_path())
        film.frame(0)
        yield 1e3 * (time.process_time() - started)


def _panel_ms() -> Iterator[float]:
    """Yield the processor time from a changed path to the camera panel's pictures, milliseconds."""
    for clip in CLIPS:
        request = _request(*clip, size=_SIZE, frames=81).model_copy(update={"channels": ()})
        strip(request, 6)  # another path of the same scene
        started = time.process_time()
        camera = CameraControl.of("dolly out").resolved(
            width=_SIZE[0], height=_SIZE[1], num_frames=81, fps=_FPS
        )
        strip(request.model_copy(update={"camera": camera}), 6)
        yield 1e3 * (time.process_time() - started)


def _pace() -> Iterator[float]:
    """Yield how many times faster than it plays a steered storyboard is rendered.

    By processor time over two cores: one draws, one encodes.
    """
    for subject, place, words in CLIPS:
        request = _request(subject, place, words, size=_SIZE, frames=81)
        plain = request.model_copy(update={"channels": (), "options": {}})
        recipe = Recipe(job_id="clip", created_at=datetime.now(UTC), request=plain)
        with tempfile.TemporaryDirectory() as folder:
            started = time.process_time()
            AnimaticEngine(Settings()).render(
                RenderTask(recipe, Path(folder), lambda _: None, lambda: False)
            )
            yield 81 / _FPS / ((time.process_time() - started) / 2)


def main() -> None:
    """Print every figure beside its target."""
    AnimaticEngine(Settings()).load(RenderRequest(prompt="warm up"), "cpu", lambda _: None)
    filmed = [film_clip(*clip) for clip in CLIPS]
    pairs = [flow_psnr(one) for one in filmed]
    moved = [value for one, _ in pairs for value in one]
    unmoved = [value for _, one in pairs for value in one]
    apart = [value for one in filmed for value in geometry_errors(one)]
    cameras = [camera_errors(one) for one in filmed]
    directions = [one.direction_deg for one in cameras if one.direction_deg is not None]
    known = float(np.mean([seen.mean() for one in filmed for _, seen in one.flow[:-1]]))
    print_report(
        "The storyboard's channels, six clips of 33 frames, 832×480, as encoded",
        [
            Figure("next frame moved back by flow, mean PSNR", float(np.mean(moved)), "dB", 30, at_most=False),
            Figure("the worst pair of frames", float(np.min(moved)), "dB", 26, at_most=False),
            Figure("for comparison: next frame as it is", float(np.mean(unmoved)), "dB"),
            Figure("pixels whose motion is known", 100 * known, "%", 80, at_most=False),
            Figure("flow against depth and camera, median", float(np.mean(apart)), "px", 0.05),
            Figure(
                "recovered camera, rotation off the path, worst clip",
                max(one.rotation_deg for one in cameras), "°", 1.0,
            ),
            Figure("recovered camera, direction off the path, mean", float(np.mean(directions)), "°", 5),
            Figure("frames whose camera was recovered, mean", 100 * float(np.mean([one.seen for one in cameras])), "%", 90, at_most=False),
        ],
    )  # fmt: skip
    print_report(
        "Following another path",
        [
            Figure(
                "changed path to its first picture, 416×240, slowest scene, processor time",
                max(_changed_path_ms()), "ms", 100,
            ),
            Figure(
                "changed path to the six pictures of the camera panel, slowest scene, processor time",
                max(_panel_ms()), "ms", 100,
            ),
            Figure("steered storyboard, 832×480, slowest scene, by processor time over two cores", min(_pace()), "× real time", 8, at_most=False),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
