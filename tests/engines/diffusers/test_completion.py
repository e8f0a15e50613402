"""Requests are completed or refused by their family's rules, without loading a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.models_on_disk import write_model
from workbench.engines.diffusers import DiffusersEngine
from workbench.engines.diffusers.conditioning import inputs_of
from workbench.engines.diffusers.families import Family, ModelFacts, families, family_of
from workbench.engines.diffusers.pipeline_classes import makes_no_video
from workbench.engines.diffusers.weights import find_weights, model_facts
from workbench.errors import InvalidRequest
from workbench.rendering import RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

FAMILIES = {family.name: family for family in families()}


def _model(folder: Path, family: Family, **index: Any) -> Path:
    """Write the small JSON files that identify a model's family; no weights."""
    for part, wanted in family.when.items():
        if part == "index":
            index |= dict(wanted)
        else:
            (folder / part).mkdir(parents=True, exist_ok=True)
            (folder / part / "config.json").write_text(json.dumps(wanted))
    folder.mkdir(parents=True, exist_ok=True)
    index.setdefault("_class_name", family.classes[0])
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _request(model: Path | str, **changed: Any) -> RenderRequest:
    return RenderRequest(prompt="a dog", engine="diffusers", model=str(model), **changed)


def _complete(request: RenderRequest, **settings: Any) -> RenderRequest:
    return DiffusersEngine(Settings(**settings)).complete(request)


def _problems(request: RenderRequest, **settings: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        _complete(request, **settings)
    return {one.field: one.problem for one in caught.value.problems}


def _needed(family: Family, file: Path) -> dict[str, Any]:
    """Return options that name ``file`` for every input that the family's first class needs."""
    file.write_bytes(b"")
    taken = inputs_of(family.classes[0])
    assert taken is not None
    needs = {*taken.needs, *family.needs[:1]}
    options: dict[str, Any] = dict.fromkeys(needs, str(file))
    if "control" in options:
        options["control"] = {"kind": taken.kinds[0], "video": str(file)}
    return options


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
@pytest.mark.parametrize("profile", ["exact", "draft"])
def test_a_familys_defaults_obey_its_own_rules(
    family: Family, profile: Any, tmp_path: Path
) -> None:
    model = _model(tmp_path / "model", family)
    if family.refused:
        assert _problems(_request(model))["model"] == family.refused
        return
    options = _needed(family, tmp_path / "start.png")
    request = _complete(_request(model, profile=profile, options=options))
    for name in ("width", "height", "num_frames", "fps"):
        assert getattr(request, name) is not None
    for name in ("num_inference_steps", "guidance_scale"):
        assert (getattr(request, name) is None) == (getattr(family.defaults, name) is None)
    assert request.num_frames is not None
    assert request.width is not None
    assert request.height is not None
    if profile == "draft":
        full = family.defaults
        assert (full.width or 0) * (full.height or 0) >= request.width * request.height
        assert (full.num_inference_steps or 1) > (request.num_inference_steps or 0)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_every_class_of_a_family_is_recognised(family: Family, tmp_path: Path) -> None:
    assert family.classes
    for name in family.classes:
        folder = _model(tmp_path / name, family, _class_name=name)
        facts = model_facts(str(folder), find_weights(str(folder)))
        assert family_of(facts).name == family.name


def test_classes_named_in_the_data_exist_in_the_pinned_library() -> None:
    pytest.importorskip("diffusers")
    script = """
import diffusers
from workbench.engines.diffusers.families import families
names = {name for family in families()
         for name in (*family.classes, *family.variants)}
known = {*diffusers._import_structure["pipelines"], *diffusers._import_structure["modular_pipelines"]}
missing = sorted(names - known)
assert not missing, missing
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("hub_name", "family"),
    [
        ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "wan"),
        ("Wan-AI/Wan2.2-Animate-14B-Diffusers", "wan-animate"),
        ("BestWishYsh/Helios-Base", "helios"),
        ("BestWishYsh/Helios-Mid", "helios-pyramid"),
        ("BestWishYsh/Helios-Distilled", "helios-distilled"),
        ("Wan-AI/Wan2.2-Animate-2-14B-Diffusers", "wan-animate-2"),
        ("kandinskylab/Kandinsky-6.0-VSR-distilled2steps-5s-Diffusers", "kandinsky-6-sr"),
        ("alibaba-pai/EasyAnimateV5.1-12b-zh-diffusers", "easyanimate"),
        ("Lightricks/ltxv-spatial-upscaler-0.9.7", "ltx-upsampler"),
        ("alibaba-pai/EasyAnimateV5.1-12b-zh-Control-diffusers", "easyanimate-led"),
        ("stabilityai/stable-video-diffusion-img2vid-xt", "stable-video-diffusion"),
        ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "wan-2-2-5b"),
        ("Wan-AI/Wan2.2-T2V-A14B-Diffusers", "wan-2-2"),
        ("Lightricks/LTX-Video", "ltx"),
        ("Lightricks/LTX-2", "ltx-2"),
        ("THUDM/CogVideoX-5b", "cogvideox"),
        ("zai-org/CogVideoX1.5-5B", "cogvideox-1-5"),
        ("hunyuanvideo-community/HunyuanVideo", "hunyuan-video"),
        ("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v", "hunyuan-video-1-5"),
        ("genmo/mochi-1-preview", "mochi"),
        ("rhymes-ai/Allegro", "allegro"),
        ("Skywork/SkyReels-V2-T2V-14B-540P-Diffusers", "skyreels-v2"),
        ("Skywork/SkyReels-V2-DF-1.3B-540P-Diffusers", "skyreels-v2-forcing"),
        ("nvidia/Cosmos-1.0-Diffusion-7B-Text2World", "cosmos"),
        ("nvidia/Cosmos-Predict2-2B-Video2World", "cosmos-2"),
        ("nvidia/Cosmos-Predict2.5-2B", "cosmos-2-5"),
        ("maxin-cn/Latte-1", "latte"),
        ("somebody/unheard-of", "general"),
    ],
)
def test_the_family_is_known_from_a_hub_name_before_any_download(
    hub_name: str, family: str
) -> None:
    assert family_of(ModelFacts(hub_name=hub_name)).name == family


@pytest.mark.parametrize(
    ("family", "changed", "field", "says"),
    [
        ("wan", {"num_frames": 80}, "num_frames", "77 or 81"),
        ("wan", {"width": 830}, "width", "816 or 832"),
        ("wan", {"width": 4096, "height": 4096}, "width", "at most 1048576 pixels"),
        ("cogvideox", {"num_frames": 20}, "num_frames", "17 or 25"),
        ("cogvideox", {"num_frames": 57}, "num_frames", "at most 49 frames"),
        ("mochi", {"num_frames": 84}, "num_frames", "79 or 85"),
        ("ltx", {"height": 500}, "height", "480 or 512"),
        ("allegro", {"width": 640}, "width", "560 or 800"),
        ("allegro", {"num_frames": 16}, "num_frames", "24"),
        ("latte", {"num_frames": 48}, "num_frames", "at most 32 frames"),
        ("wan", {"options": {"steps": 4}}, "options.steps", "no option 'steps'"),
        ("wan", {"options": {"strength": 3}}, "options.strength", "less than or equal to 1"),
        (
            "wan",
            {"options": {"call": {"latents": 1}}},
            "options.call.latents",
            "set by the request",
        ),
        ("wan", {"options": {"image": "/nowhere.png"}}, "options.image", "no file"),
        ("mochi", {"options": {"image": __file__}}, "options.image", "does not accept image"),
        ("cosmos-2", {}, "options.image", "starts from an image or video"),
    ],
)
def test_parameters_a_family_cannot_use_are_refused_by_name(
    family: str, changed: dict[str, Any], field: str, says: str, tmp_path: Path
) -> None:
    model = _model(tmp_path / "model", FAMILIES[family])
    problems = _problems(_request(model, **changed))
    assert says in problems[field]


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", FAMILIES["wan"])
    assert set(_problems(_request(model, width=830, height=479, num_frames=80))) == {
        "width",
        "height",
        "num_frames",
    }


@pytest.mark.parametrize("name", ["0" * 505, "~nobody-of-this-name/model", "a/" + "b" * 300])
def test_a_name_no_file_can_have_is_a_missing_model(name: str) -> None:
    assert find_weights(name) is None


def test_the_error_for_a_missing_model_gives_the_command_that_downloads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    problem = _problems(_request("Wan-AI/Wan2.1-T2V-1.3B-Diffusers"))["model"]
    assert "`hf download Wan-AI/Wan2.1-T2V-1.3B-Diffusers`" in problem
    assert "WORKBENCH_ALLOW_HUB=1" in problem
    allowed = _complete(_request("Wan-AI/Wan2.1-T2V-1.3B-Diffusers"), allow_hub=True)
    assert (allowed.width, allowed.height, allowed.num_frames) == (832, 480, 81)


def test_a_model_in_the_hub_cache_is_found_and_pinned_to_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    home = tmp_path / "models--genmo--mochi-1-preview"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("abc123")
    _model(home / "snapshots" / "abc123", FAMILIES["mochi"])
    request = _complete(_request("genmo/mochi-1-preview"))
    assert (request.model, request.revision) == ("genmo/mochi-1-preview", "abc123")
    assert _complete(request) == request


def test_a_folder_without_a_model_is_refused_as_such(tmp_path: Path) -> None:
    assert "model_index.json" in _problems(_request(tmp_path), allow_hub=True)["model"]


@pytest.mark.parametrize(
    "class_name",
    [
        "FluxPipeline",
        "StableDiffusionXLPipeline",
        "QwenImageModularPipeline",
        "StableAudioPipeline",
    ],
)
def test_a_model_that_makes_no_video_is_refused_before_loading(
    class_name: str, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "model", transformer=9, text_encoder=9, class_name=class_name)
    told = _problems(_request(model))["model"]
    assert told.startswith(f"{class_name} makes no video")


def test_every_pipeline_of_a_family_is_told_from_those_that_make_no_video() -> None:
    unknown = [
        "ConsisIDPipeline",
        "PIAPipeline",
        "Wan22ModularPipeline",
        "DiffusionPipeline",
        "Own",
    ]
    assert not any(makes_no_video(name) for name in unknown)
    with_a_length = ("WanPipeline", "LTXPipeline", "MochiPipeline", "StableVideoDiffusionPipeline")
    assert not any(makes_no_video(name) for name in with_a_length)


def test_without_any_model_the_error_says_where_to_name_one() -> None:
    assert "WORKBENCH_MODEL" in _problems(RenderRequest(prompt="a dog"), model="")["model"]


def test_the_model_of_the_settings_is_the_default(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", FAMILIES["wan"])
    request = _complete(RenderRequest(prompt="a dog"), model=str(model))
    assert request.model == str(model)
    assert request.engine == "diffusers"


def test_the_negative_prompt_comes_from_the_request_then_the_scene_then_the_family(
    tmp_path: Path,
) -> None:
    model = _model(tmp_path / "model", FAMILIES["ltx"])
    scene = Scene(negative_prompt="crowds")
    assert _complete(_request(model, negative_prompt="text", scene=scene)).negative_prompt == "text"
    assert _complete(_request(model, scene=scene)).negative_prompt == "crowds"
    assert "jittery" in _complete(_request(model)).negative_prompt


def test_an_image_to_video_model_requires_an_image(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", FAMILIES["wan"], _class_name="WanImageToVideoPipeline")
    assert "starts from an image" in _problems(_request(model))["options.image"]


def test_text_to_video_weights_refuse_an_image_and_name_families_that_take_one(
    tmp_path: Path,
) -> None:
    model = _model(tmp_path / "model", FAMILIES["wan"])
    config = model / "transformer" / "config.json"
    config.parent.mkdir()
    config.write_text('{"in_channels": 16}')
    asked = _request(model, options={"image": __file__})
    told = _problems(asked)["options.image"]
    assert "does not accept image; choose one that does, such as Wan 2.2 TI2V 5B" in told
    config.write_text('{"in_channels": 36}')
    _complete(asked)


def test_an_unknown_pipeline_keeps_its_own_defaults(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "ConsisIDPipeline"}')
    request = _complete(_request(tmp_path, num_frames=13))
    assert request.width is None
    assert request.num_frames == 13


def test_completing_a_request_imports_no_model_library(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", FAMILIES["wan"])
    script = f"""
import sys
from workbench.engines.registry import create_engine
from workbench.rendering import RenderRequest
from workbench.settings import Settings
engine = create_engine("diffusers", Settings())
engine.complete(RenderRequest(prompt="a dog", engine="diffusers", model={str(model)!r}))
heavy = {{"torch", "diffusers", "transformers", "accelerate"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True)
