"""Models on this machine are found, sized, planned and checked without loading."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.models_on_disk import write_model
from workbench import model_library
from workbench.engines.diffusers.library import find_model, find_models
from workbench.engines.diffusers.pipeline_classes import takes_loras
from workbench.engines.diffusers.weights import hub_cache
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Device
from workbench.model_commands import models
from workbench.model_library import model_objects, models_on_devices
from workbench.rendering import Outcome, Recipe, RenderRequest
from workbench.settings import Settings
from workbench.studio import Studio

GIB = 1 << 30


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(tmp_path / "outputs"))


def test_models_are_found_in_folders_and_in_the_hub_cache(tmp_path: Path) -> None:
    write_model(tmp_path / "mine" / "deep" / "wan")
    home = tmp_path / "hub" / "models--a--b--c"
    write_model(home / "snapshots" / "abc")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    (tmp_path / "mine" / "other").mkdir()
    found = find_models(Settings(models=str(tmp_path / "mine")))
    assert [one.name for one in found] == [str(tmp_path / "mine" / "deep" / "wan"), "a/b--c"]
    for one in found:
        assert (one.family, one.problems) == ("wan", ())
        assert one.size_bytes["transformer"] == 2 * GIB, "32 bits on disk, 16 in use"
        assert one.takes == ("text", "video", "loras")


def test_a_model_reports_its_plan_for_a_given_amount_of_memory(tmp_path: Path) -> None:
    write_model(tmp_path / "wan")
    (one,) = find_models(Settings(models=str(tmp_path)))
    assert one.plan_on(80 * GIB, 64 * GIB).placement == "full"
    assert one.plan_on(11 * GIB, 64 * GIB).placement == "text_offload"
    assert one.plan_on(11 * GIB, 4 * GIB).problem


def test_a_model_reports_the_least_quantisation_with_which_it_fits(tmp_path: Path) -> None:
    write_model(tmp_path / "wan", transformer=15 * GIB, text_encoder=GIB)
    (one,) = find_models(Settings(models=str(tmp_path)))
    chosen = {host: one.easiest_on(16 * GIB, host * GIB)[0] for host in (64, 16, 4)}
    assert chosen == {64: "none", 16: "nf4", 4: "nf4"}, "fp8 is made from 16 bits in memory"
    how, plan = one.easiest_on(2 * GIB, GIB)
    assert (how, plan.problem != "") == ("none", True)
    assert "GGUF" in plan.problem


@pytest.mark.parametrize(
    ("class_name", "component", "config", "taken"),
    [
        ("SanaWMPipeline", "SanaVideoTransformer3DModel", {}, {"camera"}),
        ("Cosmos3OmniPipeline", "Cosmos3OmniTransformer", {"action_gen": True}, {"actions"}),
        ("Cosmos3OmniPipeline", "Cosmos3OmniTransformer", {"action_gen": False}, set()),
        ("LTXLatentUpsamplePipeline", None, {}, set()),
    ],
)
def test_camera_actions_and_loras_are_listed_where_the_weights_take_them(
    tmp_path: Path, class_name: str, component: str | None, config: dict[str, bool],
    taken: set[str],
) -> None:  # fmt: skip
    folder = write_model(tmp_path / "a", transformer=9, text_encoder=9, class_name=class_name)
    index = json.loads((folder / "model_index.json").read_text())
    index["transformer"] = ["diffusers", component] if component else [None, None]
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "transformer" / "config.json").write_text(json.dumps(config))
    one = find_model(str(folder))
    assert one is not None
    assert {"camera", "actions"} & set(one.takes) == taken
    assert ("loras" in one.takes) == (component is not None and takes_loras(component))
    assert takes_loras("WanTransformer3DModel")
    assert not takes_loras("AutoencoderKLWan")


def _card(name: str, gigabytes: int) -> Device:
    return Device(
        name=name, kind=name[:-2], uuid=None, gpu_id=0, label="Card",
        memory_total_bytes=gigabytes * GIB, memory_used_bytes=0, utilization_percent=None,
        temperature_c=None, power_w=None, job_id=None, worker_pid=None, state="idle",
    )  # fmt: skip


def test_each_gpu_has_its_plan_and_the_time_of_a_step_only_where_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path / "models" / "wan")
    settings = Settings(outputs=tmp_path / "outputs", models=str(tmp_path / "models"))
    with Studio(settings) as studio:
        cards = (_card("cuda:0", 80), _card("cuda:1", 11), _card("cpu:0", 64))
        monkeypatch.setattr(studio.jobs, "devices", lambda: cards)
        request = RenderRequest(
            prompt="a", engine="diffusers", model=str(folder), width=832, height=480, num_frames=81
        )
        job = SimpleNamespace(job_id="j", device="cuda:1", request=request)
        monkeypatch.setattr(studio.jobs, "jobs", lambda **_: SimpleNamespace(jobs=[job]))
        outcome = Outcome(
            width=832, height=480, num_frames=81, fps=16, size_bytes=9, sha256="",
            timings_s={"step": 2.5},
        )  # fmt: skip
        now = datetime.now(UTC)
        recipe = Recipe(job_id="j", created_at=now, request=request, outcome=outcome)
        monkeypatch.setattr(studio.jobs, "recipe", lambda _: recipe)
        monkeypatch.setattr(model_library, "available_bytes", lambda: 64 * GIB)
        (one,) = model_objects(studio)
        assert [each.device for each in one.devices] == ["cuda:0", "cuda:1"]
        large, small = one.devices
        assert (large.placement, large.quantize, large.fits) == ("full", "none", True)
        assert (large.seconds_per_step, large.measured_on) == (None, "")
        assert small.placement == "text_offload"
        assert (small.seconds_per_step, small.measured_on) == (2.5, "832×480, 81 frames")
        (listed,) = models_on_devices(studio)
        assert [each.device for each in listed.devices] == ["cuda:0", "cuda:1"]


def test_the_command_lists_plans_and_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models(["list"]) == 0
    assert "Name folders in WORKBENCH_MODELS" in capsys.readouterr().out
    folder = write_model(tmp_path / "here" / "wan")
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "here"))
    assert models(["list", "--card", "80"]) == 0
    told = capsys.readouterr().out
    assert "Wan 2.1 (WanPipeline), takes text, video, loras" in told
    assert "full: all weights stay on the device" in told
    assert models(["check", str(folder)]) == 0
    (folder / "vae" / "model.safetensors").unlink()
    assert models(["check", str(folder)]) == 1
    assert "vae/ (no weights) missing" in capsys.readouterr().err
    assert models(["check", "nobody/nothing"]) == 1
    assert "hf download nobody/nothing" in capsys.readouterr().err


def test_the_listing_tells_how_a_model_runs_on_each_gpu_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(tmp_path / "here" / "wan")
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "here"))
    monkeypatch.setattr(model_library, "available_bytes", lambda: 64 * GIB)
    cards = (_card("cuda:0", 80), _card("cuda:1", 11), _card("cpu:0", 64))
    steps = {(str(tmp_path / "here" / "wan"), "cuda:1"): (2.5, "832×480, 81 frames")}
    monkeypatch.setattr(model_library, "_measured_steps", lambda _: steps)
    monkeypatch.setattr(JobManager, "devices", lambda _: cards)
    assert models(["list"]) == 0
    told = capsys.readouterr().out.splitlines()
    large, small = (line for line in told if line.startswith("  cuda:"))
    assert large.startswith("  cuda:0: full: all weights stay on the device")
    assert "a step" not in large
    assert small.startswith("  cuda:1: text_offload: ")
    assert small.endswith("; 2.5 s a step at 832×480, 81 frames")
    monkeypatch.setattr(JobManager, "devices", lambda _: cards[2:])
    assert models(["list"]) == 0
    without = capsys.readouterr().out.splitlines()
    assert without == [line for line in told if not line.startswith("  cuda:")]


def test_models_are_listed_where_no_outputs_folder_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_model(tmp_path / "here" / "wan")
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "here"))
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(tmp_path / "file" / "outputs"))
    assert models(["list"]) == 0
    assert capsys.readouterr().out.startswith(f"{folder}\n")


@pytest.mark.parametrize(
    "named", ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"]
)
def test_models_are_searched_in_the_cache_of_the_hub_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(named, str(tmp_path))
    script = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert str(hub_cache()) == told.stdout.strip()
    assert hub_cache().is_relative_to(tmp_path)


def test_models_are_listed_for_the_screen_and_rest(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "wan")
    settings = Settings(outputs=tmp_path / "outputs", models=str(tmp_path / "models"))
    with Studio(settings) as studio:
        (one,) = model_objects(studio)
    assert (one.name, one.family) == (str(tmp_path / "models" / "wan"), "wan")
    assert one.size_gib == pytest.approx(12, abs=0.1)
    assert one.problems == []


def test_a_listed_model_tells_the_size_of_each_component_and_its_kinds_of_control(
    tmp_path: Path,
) -> None:
    write_model(tmp_path / "models" / "vace", class_name="WanVACEPipeline")
    write_model(tmp_path / "models" / "wan")
    settings = Settings(outputs=tmp_path / "outputs", models=str(tmp_path / "models"))
    with Studio(settings) as studio:
        vace, wan = (one.model_dump(mode="json") for one in model_objects(studio))
    for one in (vace, wan):
        assert one["components"] == {"text_encoder": 10.0, "transformer": 2.0, "vae": 0.0}
    assert {"depth", "edges", "pose"} <= set(vace["control_kinds"])
    assert wan["control_kinds"] == []


def test_models_that_make_no_video_are_not_listed_and_a_check_says_why(tmp_path: Path) -> None:
    write_model(tmp_path / "flux", transformer=9, text_encoder=9, class_name="FluxPipeline")
    write_model(tmp_path / "wan", transformer=9, text_encoder=9)
    found = find_models(Settings(models=str(tmp_path)))
    assert [Path(one.name).name for one in found] == ["wan"]
    image = find_model(str(tmp_path / "flux"))
    assert image is not None
    assert image.problems[0].startswith("FluxPipeline makes no video")


def test_the_check_of_a_model_refuses_classes_that_cannot_run_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {
        "FluxPipeline": "FluxPipeline makes no video",
        "NoSuchPipeline": "has no NoSuchPipeline",
        "TextToVideoSDPipeline": "ModelScope",
        "MiniMaxH3ModularPipeline": "does not run MiniMax-H3 yet",
    }
    for name, reason in refused.items():
        folder = write_model(tmp_path / name, transformer=9, text_encoder=9, class_name=name)
        assert models(["check", str(folder)]) == 1, name
        told = capsys.readouterr()
        assert (told.out, reason in told.err) == ("", True), name


def test_the_check_of_a_folder_outside_the_library_tells_its_family_and_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_model(tmp_path / "elsewhere")
    assert models(["check", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "Wan 2.1 (WanPipeline), takes text, video, loras" in told
    assert "12.0 GiB at 16 bits" in told
    assert "text_encoder 10.0" in told
    assert f"whole: {folder}" in told
