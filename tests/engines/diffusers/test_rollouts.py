"""Worlds rolled out on models, through the real worker: durable segments, forks, prompts, cameras."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from PIL import Image

import workbench as wb
from tests.engines.diffusers.conftest import Stage
from tests.engines.diffusers.tiny import LED, TINY
from tests.live_server import end_supervisor
from workbench.cli import main
from workbench.control import path_from_keys
from workbench.engines.channels import read_channel
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.probe import decode_video
from workbench.errors import InvalidRequest
from workbench.jobs.worker.takes import retake_seed
from workbench.journey.worlds import World

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

Models = Callable[[str], Path]
_LIMIT_S = 300.0


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wb.Studio]:
    """One worker for all tests here, so that the libraries are imported once."""
    outputs = tmp_path_factory.mktemp("rollouts") / "outputs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("WORKBENCH_OUTPUTS", str(outputs))
        patch.setenv(
            "WORKBENCH_LEASE_S", "60"
        )  # importing the libraries takes long on a busy machine
        with wb.Studio(wb.Settings(outputs=outputs)) as made:
            yield made
        end_supervisor(outputs)


@pytest.fixture
def begun(studio: wb.Studio, models: Models) -> Callable[..., wb.Video]:
    """Return a function that renders the video that a world is made of."""

    def make(name: str, **changed: Any) -> wb.Video:
        tiny = {**TINY, **LED}[name]
        options = {**tiny.options, "previews": 0, **changed.pop("options", {})}
        asked: dict[str, Any] = {
            "engine": "diffusers", "model": str(models(name)), "profile": "reference", "seed": 7,
            "num_inference_steps": 2, "width": tiny.size, "height": tiny.size,
            "num_frames": tiny.num_frames, "options": options, "using": studio, **changed,
        }  # fmt: skip
        (video,) = wb.render("a dog runs in the rain", **asked).videos
        return video

    return make


def _frames(world: World) -> Any:
    return np.stack(list(world.wait(_LIMIT_S).frames()))


def _lossless(video: wb.Video) -> Any:
    return np.stack(list(read_channel(video.channel("frames").path)))


def test_a_model_is_rolled_out_and_a_branch_is_its_parent_up_to_the_fork(
    begun: Callable[..., wb.Video], studio: wb.Studio
) -> None:
    video = begun("wan-2-2-5b")
    world = video.rollout(seconds=25 / 24, most_retakes=0, prompts=["a dog runs", "a dog sleeps"])
    first, second, third = world.segments
    assert [one.prompt for one in world.segments] == ["a dog runs", "a dog sleeps", "a dog sleeps"]
    assert [one.job.request.seed for one in world.segments] == [7, 8, 9]
    assert [one.job.follows for one in world.segments] == [None, first.job_id, second.job_id]
    assert world.num_frames == 9 + 8 + 8
    frames = _frames(world)
    assert frames.shape == (25, 64, 64, 3)
    said = third.recipe.request.options[AS_RENDERED]
    assert said["pipeline"] == "WanImageToVideoPipeline"
    assert "continues from the lossless frames of the previous segment" in said["notes"]
    tail = third.job.request.options["tail"]
    assert tail["frames"] == str(second.channel("frames").path)

    same = world.fork(17 / 24, seconds=8 / 24, most_retakes=0)
    other = world.fork(17 / 24, seconds=8 / 24, most_retakes=0, seed=40, prompt="a cat sits")
    early = world.fork(12 / 24, seconds=8 / 24, most_retakes=0)
    assert np.array_equal(_frames(same), frames), "the same seed and prompt give the same frames"
    assert np.array_equal(_lossless(same.segments[0]), _lossless(third))
    branched = _frames(other)
    assert np.array_equal(branched[:17], frames[:17])
    assert not np.array_equal(branched[17:], frames[17:])
    assert other.segments[0].prompt == "a cat sits"
    assert early.segments[0].job.request.options["tail"]["num_frames"] == 1 + 12 - 9
    assert np.array_equal(_frames(early)[:12], frames[:12])
    assert len(_frames(early)) == 20
    twig = early.fork(15 / 24, seconds=0.1, most_retakes=0)
    assert np.array_equal(_frames(twig)[:15], _frames(early)[:15])
    again = wb.open_world(early.batch_id, using=studio)
    assert again.parent is not None
    assert again.fork_s == 0.5


def test_a_worker_that_dies_in_the_third_of_six_segments_costs_that_segment_alone(
    begun: Callable[..., wb.Video], studio: wb.Studio
) -> None:
    video = begun("wan-2-2-5b", num_inference_steps=30)
    world = video.rollout(seconds=49 / 24, most_retakes=0)
    assert len(world.segments) == 6
    third = world.segments[2]
    deadline = time.monotonic() + _LIMIT_S
    killed = False
    while not killed and time.monotonic() < deadline:
        pids = [d.worker_pid for d in studio.jobs.devices() if d.job_id == third.job_id]
        if third.job.stage == "denoising" and pids:
            (pid,) = pids
            assert pid is not None
            before = [one.path.stat().st_mtime_ns for one in world.segments[:2]]
            os.kill(pid, signal.SIGKILL)
            killed = True
        time.sleep(0.005)
    assert killed
    world.wait(_LIMIT_S)
    assert [one.job.attempt for one in world.segments] == [1, 1, 2, 1, 1, 1]
    assert [one.path.stat().st_mtime_ns for one in world.segments[:2]] == before
    assert len(_frames(world)) == 49


def test_sana_wm_is_given_each_segments_part_of_the_path(
    begun: Callable[..., wb.Video], tmp_path: Path
) -> None:
    path = tmp_path / "start.png"
    Image.effect_noise((64, 64), 40).convert("RGB").save(path)
    video = begun("sana-wm", options={"image": str(path)})
    world = video.rollout("w-8,jw-8", most_retakes=0).wait(_LIMIT_S)
    poses = path_from_keys("w-8,jw-8").value.poses(17, 16)
    assert world.num_frames == 17
    assert len(world.segments) == 2
    np.testing.assert_allclose(world.camera_path.poses(17, 16), poses, atol=1e-9)
    second = world.segments[1].job.request
    assert second.camera is not None
    assert second.camera.way == "poses"
    np.testing.assert_allclose(second.camera.camera_path().poses(9, 16), poses[8:], atol=1e-9)
    assert "image" not in second.options
    said = world.segments[1].recipe.request.options[AS_RENDERED]["notes"]
    assert "the model is told the camera path as c2w" in said
    branch = world.fork(0.5, "a-8", most_retakes=0)
    begins = branch.camera_path.poses(16, 16)
    np.testing.assert_allclose(begins[:8], poses[:8], atol=1e-9)
    assert np.array_equal(_frames(branch)[:8], _frames(world)[:8])


def test_a_model_that_reads_only_text_is_told_each_segments_part_in_words(
    begun: Callable[..., wb.Video],
) -> None:
    world = begun("wan-vace", num_frames=13).rollout(
        "push in for 0.75 seconds, then orbit left 20 degrees for 0.75 seconds", most_retakes=0
    )
    told = [one.job.request for one in world.segments]
    assert [one.num_frames for one in told] == [13, 13, 13]
    assert all("The camera:" in one.text_for_model for one in told)
    assert all(one.prompt == "a dog runs in the rain" for one in told)
    assert "orbit" in told[2].text_for_model
    assert "push in" not in told[2].text_for_model
    world.wait(_LIMIT_S)
    assert world.num_frames == 13 + 8 + 8


def test_helios_goes_on_from_its_latents_and_forks_where_a_segment_ends(
    begun: Callable[..., wb.Video],
) -> None:
    world = begun("helios").rollout(seconds=2, most_retakes=0)
    first, second = world.segments
    frames = _frames(world)
    assert len(frames) == 66
    assert second.job.request.options["tail"]["latents"] == str(first.channel("latents").path)
    with pytest.raises(InvalidRequest, match=r"where this model can go on: 1\.375, 2\.75 s"):
        world.fork(1.0)
    branch = world.fork(33 / 24, most_retakes=0, seed=99)
    branched = _frames(branch)
    assert np.array_equal(branched[:33], frames[:33])
    assert not np.array_equal(branched[33:], frames[33:])


def test_a_branch_leaves_a_video_that_is_made_again_once_with_its_lossless_frames(
    begun: Callable[..., wb.Video], studio: wb.Studio
) -> None:
    video = begun("wan-2-2-5b").wait(_LIMIT_S)
    outlook = studio.rollouts.outlook(video.job)
    assert (outlook.why_not, outlook.least, outlook.every, outlook.again) == ("", 1, 1, True)
    left = video.rollout(seconds=8 / 24, at_s=5 / 24, prompt="a cat sits", most_retakes=0)
    again = left.parent
    assert again is not None
    (made,) = again.segments
    assert made.job.request.options["rollout"]["of"] == video.job_id
    frames = _frames(left)
    assert len(frames) == 5 + 8
    assert np.array_equal(frames[:5], _frames(again)[:5])
    assert np.array_equal(_frames(again), np.stack(list(decode_video(video.path))))
    other = video.rollout(seconds=8 / 24, at_s=7 / 24, most_retakes=0, seed=70)
    assert other.parent is not None
    assert other.parent.batch_id == again.batch_id, "made again once"
    assert len(_frames(other)) == 7 + 8
    assert not studio.rollouts.outlook(video.job).again

    later, first = left.segments[0], made
    for one in (later, first):
        one.channel("frames").path.unlink()
    assert (
        "lossless frames of this segment were removed" in studio.rollouts.outlook(later.job).why_not
    )
    with pytest.raises(InvalidRequest, match="lossless frames of this segment were removed"):
        left.rollout(seconds=0.1)
    assert studio.rollouts.outlook(first.job).again
    assert studio.rollouts.outlook(video.job).again

    kept = begun("wan-2-2-5b", channels=["frames"]).wait(_LIMIT_S)
    assert not studio.rollouts.outlook(kept.job).again
    further = kept.rollout(seconds=8 / 24, at_s=6 / 24, most_retakes=0)
    assert len(_frames(further)) == 6 + 8
    assert further.parent is not None
    assert further.parent.segments == (kept,)
    assert wb.open_world(further.batch_id, using=studio).fork_s == 0.25


def test_helios_is_left_where_a_section_of_its_video_ends(
    begun: Callable[..., wb.Video], studio: wb.Studio
) -> None:
    video = begun("helios", num_frames=66).wait(_LIMIT_S)
    outlook = studio.rollouts.outlook(video.job)
    assert (outlook.least, outlook.every, outlook.most) == (33, 33, 33)
    before = studio.jobs.jobs(limit=1).total
    with pytest.raises(InvalidRequest, match="goes on from its latents, which end every 33 frames"):
        video.rollout(at_s=1.0)
    with pytest.raises(InvalidRequest, match="no movement is understood"):
        video.rollout("a nice day", at_s=33 / 24)
    assert studio.jobs.jobs(limit=1).total == before
    branch = video.rollout(at_s=33 / 24, most_retakes=0)
    frames = _frames(branch)
    assert len(frames) == 66
    assert branch.parent is not None
    assert len(list(branch.parent.frames())) == 65
    assert [one.job.request.num_frames for one in branch.segments] == [33]


def test_each_segment_follows_its_part_of_a_storyboards_depth(
    begun: Callable[..., wb.Video], studio: wb.Studio
) -> None:
    shape: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 25, "fps": 16}
    (drawn,) = wb.render(
        "a red car", camera="push in", channels=["depth"], using=studio, **shape
    ).videos
    depth = drawn.wait(_LIMIT_S).channel("depth")
    world = begun("wan-vace", fps=16).rollout(
        seconds=17 / 16, control=depth, most_retakes=0, prompts=["a red car"]
    )
    told = [one.job.request.options["control"] for one in world.segments]
    assert [one["start_s"] for one in told] == [0, 4 / 16, 8 / 16]
    assert {one["video"] for one in told} == {str(depth.path)}
    frames = _frames(world)
    assert len(frames) == 17
    said = world.segments[2].recipe.request.options[AS_RENDERED]["notes"]
    assert "the model follows the depth of a storyboard, from 0.5 s on" in said
    further = world.fork(13 / 16, seconds=4 / 16, most_retakes=0)
    assert further.segments[0].job.request.options["control"]["start_s"] == 8 / 16
    assert np.array_equal(_frames(further), frames), "its parent's control is followed on"
    beyond = world.rollout(seconds=12 / 16, most_retakes=0)
    led = ["control" in one.job.request.options for one in beyond.segments]
    assert led == [True, True, False], "a control is followed for as long as it lasts"
    before = studio.jobs.jobs(limit=1).total
    with pytest.raises(InvalidRequest, match=r"control lasts 1\.5625 s of the world"):
        world.rollout(seconds=12 / 16, control=depth)
    assert studio.jobs.jobs(limit=1).total == before
    beyond.batch.cancel()


def test_ltx_2_follows_its_part_of_a_control_in_each_segment(
    begun: Callable[..., wb.Video], studio: wb.Studio
) -> None:
    shape: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 33, "fps": 24}
    (drawn,) = wb.render(
        "a red car", camera="push in", channels=["depth"], using=studio, **shape
    ).videos
    depth = drawn.wait(_LIMIT_S).channel("depth")
    asked: dict[str, Any] = {"seconds": 25 / 24, "segment_s": 17 / 24, "most_retakes": 0}
    world = begun("ltx-2", fps=24).rollout(control=depth, **asked)
    told = [one.job.request.options["control"]["start_s"] for one in world.segments]
    assert told == [0, pytest.approx(8 / 24)]
    frames = _frames(world)
    said = world.segments[1].recipe.request.options[AS_RENDERED]["notes"]
    assert any(
        note.startswith("the model follows the depth of a storyboard, from") for note in said
    )
    alone = _frames(begun("ltx-2", fps=24).rollout(**asked))
    assert len(alone) == len(frames)
    assert not np.array_equal(alone, frames), "the control is followed"


def test_each_segment_follows_its_part_of_the_storyboard_of_its_own_world(
    begun: Callable[..., wb.Video], studio: wb.Studio
) -> None:
    video = begun("wan-vace", fps=16)
    asked: dict[str, Any] = {"most_retakes": 0, "prompts": ["a red car on a road"]}
    world = video.rollout("w-17", seconds=17 / 16, control="depth", planned_s=2, **asked)
    first, *later = world.segments
    told = [one.job.request.options["control"] for one in world.segments]
    assert [one["start_s"] for one in told] == [0, 4 / 16, 8 / 16]
    assert first.job.follows == first.job.preview_job_id is not None
    assert [one.job.preview_job_id for one in later] == [None, None]
    storyboard = studio.jobs.job(first.job.preview_job_id).request
    assert (storyboard.prompt, storyboard.seed) == ("a red car on a road", first.job.request.seed)
    assert (storyboard.num_frames, storyboard.fps) == (17, 16)
    assert storyboard.camera is not None, "it is seen along the camera of the world"
    frames = _frames(world)
    depth = studio.jobs.channel_path(first.job.preview_job_id, "depth")
    assert {one["video"] for one in told} == {str(depth)}
    said = later[1].recipe.request.options[AS_RENDERED]["notes"]
    assert "the model follows the depth of a storyboard, from 0.5 s on" in said
    given = {"kind": "depth", "video": str(depth), "channel": True}
    same = video.rollout("w-17", seconds=17 / 16, control=given, **asked)
    assert np.array_equal(_frames(same), frames), "as if that storyboard had been drawn before"

    fork = world.fork(13 / 16, "a-4", seconds=4 / 16, **asked)
    own = fork.segments[0].job.preview_job_id
    assert own is not None
    assert fork.segments[0].job.request.options["control"]["start_s"] == 8 / 16
    assert np.array_equal(_frames(fork)[:13], frames[:13])
    parents, drawn = (
        np.stack(list(read_channel(path)))
        for path in (depth, studio.jobs.channel_path(own, "depth"))
    )
    assert np.array_equal(parents[:13], drawn[:13]), "one storyboard up to the fork"
    assert not np.array_equal(parents[13:], drawn[13:]), "then it goes where the fork goes"
    before = studio.jobs.jobs(limit=1).total
    with pytest.raises(InvalidRequest, match="its storyboard is planned for 2 s"):
        world.rollout("w-20", seconds=20 / 16, **asked)
    assert studio.jobs.jobs(limit=1).total == before


def test_a_segment_over_its_bounds_is_made_again_and_its_recipe_makes_what_was_kept(
    begun: Callable[..., wb.Video], stage: Stage
) -> None:
    strict = {"exposure": 1e-6, "colour": 1e-6, "sharpness": 1e-6}
    world = begun("wan-2-2-5b").rollout(seconds=0.1, most_retakes=1, bounds=strict)
    (row,) = world.wait(_LIMIT_S).drift()
    assert row["takes"] == 2
    recipe = world.segments[0].recipe
    takes = recipe.request.options["rollout"]["takes"]
    assert [take["seed"] for take in takes] == [7, retake_seed(7, 1)]
    assert sum(take["kept"] for take in takes) == 1
    _, folder = stage.render(recipe.request)
    made = np.stack(list(decode_video(folder / "video.mp4")))
    assert np.array_equal(made, _frames(world))


def test_the_bounds_of_a_rollout_are_set_from_a_shell(
    begun: Callable[..., wb.Video],
    studio: wb.Studio,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("workbench.research.rollout_command.studio", lambda: studio)
    video = begun("wan-2-2-5b")
    words = ["rollout", video.job_id, "--seconds", "0.1", "--no-wait"]
    assert main([*words, "--bounds", "exposure=0.3, seam=off"]) == 0
    world = wb.open_world(capsys.readouterr().out.split()[-1], using=studio)
    bounds = world.segments[0].job.request.options["rollout"]["bounds"]
    assert bounds == {"exposure": 0.3, "colour": 8.0, "sharpness": 1.5, "seam": False}
    world.batch.cancel()
    for wrong in ("exposure=-1", "hue=1", "seam=perhaps"):
        with pytest.raises(SystemExit) as caught:
            main([*words, "--bounds", wrong])
        assert caught.value.code == 2
        assert wrong.partition("=")[0] in capsys.readouterr().err


def test_the_last_segment_of_a_branch_ends_at_its_own_picture(
    begun: Callable[..., wb.Video], tmp_path: Path
) -> None:
    end = tmp_path / "end.png"
    Image.effect_noise((64, 64), 80).convert("RGB").save(end)
    video = begun("ltx-2", num_frames=17)
    fps = float(video.wait(_LIMIT_S).job.request.fps or 24)
    world = video.rollout(seconds=17 / fps, most_retakes=0)
    plain = world.rollout(seconds=16 / fps, most_retakes=0, seed=20)
    ending = world.rollout(seconds=16 / fps, most_retakes=0, seed=20, last_image=str(end))
    given = [one.job.request.options.get("last_image") for one in ending.segments]
    assert given == [None, str(end)], "the end of the branch, not of each segment"
    _frames(plain)
    _frames(ending)
    first, second = ([_lossless(one) for one in world.segments] for world in (plain, ending))
    assert np.array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])


def test_a_fork_of_anyflow_far_is_its_parent_up_to_the_fork(
    begun: Callable[..., wb.Video],
) -> None:
    video = begun("anyflow-far", num_frames=21)
    fps = float(video.wait(_LIMIT_S).job.request.fps or 16)
    world = video.rollout(seconds=29 / fps, most_retakes=0)
    assert world.segments[1].job.request.options["rollout"]["overlap"] == 13
    frames = _frames(world)
    branch = world.fork(17 / fps, seconds=8 / fps, most_retakes=0, seed=40, prompt="a cat sits")
    assert branch.segments[0].job.request.options["tail"]["num_frames"] == 17
    branched = _frames(branch)
    assert np.array_equal(branched[:17], frames[:17])
    assert not np.array_equal(branched[17:25], frames[17:25])
    shared = _lossless(branch.segments[0])[:13]
    assert np.array_equal(shared.shape, frames[4:17].shape)


def test_what_a_model_cannot_roll_out_is_refused_and_nothing_is_queued(
    begun: Callable[..., wb.Video], studio: wb.Studio, tmp_path: Path
) -> None:
    end = tmp_path / "end.png"
    Image.effect_noise((64, 64), 40).convert("RGB").save(end)
    video = begun("mochi")
    world = begun("wan-2-2-5b").rollout(seconds=0.2, most_retakes=0)
    before = studio.jobs.jobs(limit=1).total
    with pytest.raises(InvalidRequest, match="Mochi 1 cannot continue from a segment"):
        video.rollout(seconds=3)
    with pytest.raises(InvalidRequest, match="within the world"):
        world.fork(9.0)
    with pytest.raises(InvalidRequest, match="does not accept last_image"):
        world.rollout(last_image=str(end))
    with pytest.raises(TypeError, match="no rollout parameter 'colour'"):
        world.rollout(colour="red")
    assert studio.jobs.jobs(limit=1).total == before
