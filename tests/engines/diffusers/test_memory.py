"""The memory plan is computed before anything is loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.engines.diffusers.families import families
from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.memory import Need, lower_placement, need_of, plan_memory
from workbench.rendering import RenderRequest

GIB = 1 << 30
NEED = Need(
    {"text_encoder": 10 * GIB, "transformer": 3 * GIB, "vae": GIB // 2},
    denoise=2 * GIB,
    decode=6 * GIB,
)
FAMILIES = {family.name: family for family in families()}
MODELS: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "data" / "plans.toml").read_text("utf-8")
)["models"]
CARDS = (8, 12, 16, 24, 32, 48, 80)
MACHINES = (16, 32, 64, 128)


def _rows() -> Iterator[tuple[str, int, int, str, str]]:
    for name, model in MODELS.items():
        for row in model["plans"]:
            for card in row["cards"]:
                for machine in row["machines"]:
                    yield name, card, machine, row["plan"], row["why"]


def _need(model: dict[str, Any]) -> Need:
    family = FAMILIES[model["family"]]
    own = family.defaults
    request = RenderRequest(
        prompt="a", width=own.width, height=own.height, num_frames=own.num_frames
    )
    weights = {name: int(billions * 2e9) for name, billions in model["weights"].items()}
    configs = {"transformer": model.get("shape", {}), "vae": model.get("vae", {})}
    return need_of(request, family, weights, configs)


@pytest.mark.parametrize(
    ("name", "card", "machine", "bits", "placement"),
    [
        ("Wan 2.1 14B", 16, 32, 4.5, "text_offload"),
        ("Wan 2.1 14B", 24, 64, 8.5, "text_offload"),
        ("Wan 2.2 A14B", 24, 64, 4.5, "model_offload"),
        ("LTX-2 19B", 24, 64, 4.5, "text_offload"),
    ],
)
def test_quantised_weights_run_on_the_cards_that_the_page_names(
    name: str, card: int, machine: int, bits: float, placement: str
) -> None:
    model = MODELS[name]
    weights = {
        part: size * bits / 16 if part.startswith("transformer") else size
        for part, size in model["weights"].items()
    }
    need = _need({**model, "weights": weights})
    plan = plan_memory(need, int((card - 0.6) * GIB), int(machine * 0.9 * GIB))
    assert (plan.placement, plan.problem) == (placement, "")


@pytest.mark.parametrize("name", MODELS)
def test_each_model_gets_the_plan_an_expert_would_choose_on_each_gpu_and_machine(name: str) -> None:
    need = _need(MODELS[name])
    seen = set()
    for model, card, machine, wanted, why in _rows():
        if model != name:
            continue
        plan = plan_memory(need, int((card - 0.6) * GIB), int(machine * 0.9 * GIB))
        got: str = "refused" if plan.problem else plan.placement
        got += " tiled" if plan.tiled_vae and not plan.problem else ""
        got += " hardly" if plan.hardly else ""
        assert got == wanted, f"{card} GB, {machine} GB of memory: {why}"
        seen.add((card, machine))
    assert seen == {(card, machine) for card in CARDS for machine in MACHINES}


@pytest.mark.parametrize(
    ("free_gib", "placement", "tiled"),
    [
        (80, "full", False),
        (24, "full", False),
        (18, "text_offload", False),
        (7, "text_offload", True),
        (4, "group_offload", True),
        (1, "group_offload", True),
    ],
)
def test_the_fastest_plan_that_fits_is_chosen(free_gib: int, placement: str, tiled: bool) -> None:
    plan = plan_memory(NEED, free_gib * GIB)
    assert (plan.placement, plan.tiled_vae) == (placement, tiled)
    assert f"{free_gib}.0 GiB free" in plan.reason
    assert ("barely fits" in plan.reason) == (free_gib == 1)


def test_weights_of_unknown_size_are_never_told_as_none() -> None:
    reason = plan_memory(replace(NEED, weights={}), 80 * GIB).reason
    assert "weights of unknown size" in reason
    assert "0.0 GiB of weights" not in reason


def test_a_plan_set_by_the_user_is_kept() -> None:
    plan = plan_memory(NEED, 80 * GIB, placement="model_offload", tiled_vae=True)
    assert (plan.placement, plan.tiled_vae) == ("model_offload", True)
    assert plan_memory(NEED, GIB, placement="full", tiled_vae=False).placement == "full"


def test_on_unified_memory_the_machines_memory_is_the_limit() -> None:
    plan = plan_memory(NEED, None)
    assert (plan.placement, plan.tiled_vae, plan.problem) == ("full", False, "")
    told = plan_memory(NEED, None, 10 * GIB).problem
    assert "10 GiB of memory free" in told
    assert "quantise" in told


def test_offloading_is_refused_where_host_memory_is_too_small() -> None:
    assert not plan_memory(NEED, 8 * GIB, 20 * GIB).problem
    assert "take 14 GiB" in plan_memory(NEED, 8 * GIB, 10 * GIB).problem
    told = "the text encoder fits, and the denoiser needs no memory of the machine"
    assert plan_memory(NEED, 8 * GIB, 12 * GIB).placement == "text_offload", told
    assert not plan_memory(NEED, 80 * GIB, 12 * GIB).problem, "straight from disk to the card"


def test_what_passes_through_the_machines_memory_must_fit_it_at_its_size_there() -> None:
    large = Need({"text_encoder": 10 * GIB, "transformer": 30 * GIB}, GIB, GIB)
    assert plan_memory(large, 35 * GIB, 16 * GIB).placement == "text_offload"
    assert plan_memory(large, 80 * GIB, 16 * GIB).placement == "full"
    cast = replace(large, through_host={"transformer": 60 * GIB})
    for card in (35, 80):
        assert plan_memory(cast, card * GIB, 16 * GIB).problem
    assert plan_memory(cast, 35 * GIB, 80 * GIB).placement == "text_offload"


def test_memory_is_pinned_only_where_the_machine_has_enough() -> None:
    large = Need({"text_encoder": 10 * GIB, "transformer": 30 * GIB}, GIB, GIB)
    assert plan_memory(large, 16 * GIB, 128 * GIB).pinned
    plan = plan_memory(large, 16 * GIB, 64 * GIB)
    assert (plan.placement, plan.pinned) == ("group_offload", False)
    assert "too little memory to lock pages" in plan.reason


def test_after_an_out_of_memory_error_only_smaller_placements_are_considered() -> None:
    plan = plan_memory(NEED, 80 * GIB, lower_than="full")
    assert plan.placement == "text_offload"
    assert plan_memory(NEED, None, lower_than="text_offload").placement == "model_offload"
    assert lower_placement("group_offload") is None


def test_a_modular_pipeline_is_never_offloaded_component_by_component() -> None:
    need = Need(
        {"text_encoder": 8 * GIB, "transformer": 8 * GIB, "transformer_2": 8 * GIB}, GIB, GIB
    )
    assert plan_memory(need, 14 * GIB).placement == "model_offload"
    assert plan_memory(need, 14 * GIB, modular=True).placement == "group_offload"
    assert lower_placement("text_offload", modular=True) == "group_offload"


def test_text_encoders_and_denoisers_are_streamed_but_never_the_vae() -> None:
    texts = plan_memory(NEED, 8 * GIB, placement="text_offload")
    layers = plan_memory(NEED, 8 * GIB, placement="group_offload")
    names = ("text_encoder_2", "transformer_2", "unet", "vae")
    assert [texts.streams(name) for name in names] == [True, False, False, False]
    assert [layers.streams(name) for name in names] == [True, True, True, False]


def test_a_longer_and_larger_video_needs_more() -> None:
    family = families()[0]
    small = RenderRequest(prompt="a", width=480, height=272, num_frames=33)
    large = RenderRequest(prompt="a", width=832, height=480, num_frames=81)
    less, more = need_of(small, family, {}), need_of(large, family, {})
    assert less.denoise < more.denoise
    assert less.decode < more.decode


def test_a_vae_that_decodes_in_chunks_needs_the_same_memory_for_a_longer_video() -> None:
    family = FAMILIES["wan"]
    short = RenderRequest(prompt="a", width=832, height=480, num_frames=33)
    long = RenderRequest(prompt="a", width=832, height=480, num_frames=257)
    one, other = need_of(short, family, {}), need_of(long, family, {})
    assert one.decode == other.decode
    assert need_of(long, family, {}, wide_vae=True).decode == 2 * other.decode


def _cgroup(folder: Path, limit: str, usage: int, cache: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(limit)
    (folder / "memory.current").write_text(f"{usage}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cache}\n")


def test_the_smallest_limit_of_system_and_cgroups_counts(tmp_path: Path) -> None:
    meminfo, membership = tmp_path / "meminfo", tmp_path / "cgroup"
    groups = tmp_path / "groups"
    meminfo.write_text("MemTotal: 9999 kB\nMemAvailable: 1000 kB\n")
    assert available_bytes(meminfo, membership, groups) == 1000 * 1024
    membership.write_text("0::/app/worker\n")
    _cgroup(groups / "app" / "worker", "max\n", 10, 0)
    _cgroup(groups / "app", "600000\n", 500_000, 50_000)
    assert available_bytes(meminfo, membership, groups) == 150_000
    membership.write_text("0::/not/seen/from/inside\n")
    _cgroup(groups, "400000\n", 100_000, 0)
    assert available_bytes(meminfo, membership, groups) == 300_000
    nothing = tmp_path / "nothing"
    assert available_bytes(nothing, nothing, nothing) is None


def test_cgroup_v1_limits_count_too(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("4:memory:/job\n2:cpu,cpuacct:/job\n")
    folder = tmp_path / "groups" / "memory" / "job"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("1000")
    (folder / "memory.usage_in_bytes").write_text("700")
    assert available_bytes(tmp_path / "none", membership, tmp_path / "groups") == 300


@pytest.mark.parametrize("name", ["cosmos-transfer-2-5", "helios", "framepack", "wan-animate"])
def test_a_model_that_works_in_sections_needs_the_memory_of_one_whatever_the_length(
    name: str,
) -> None:
    family = FAMILIES[name]
    assert family.sections is not None
    section = family.sections.every + family.sections.plus
    size: dict[str, Any] = {"prompt": "a", "width": 640, "height": 352}
    short, one, long = (
        need_of(RenderRequest(**size, num_frames=count), family, {}) for count in (9, section, 737)
    )
    assert short == one == long
    assert one.denoise == 640 * 352 * section * family.memory.denoise
