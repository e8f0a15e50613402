"""One scene in the forms that model families want, and the package's cheap surface."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import workbench.prompts
from workbench.prompts import Form, text_for_model
from workbench.prompts.composer.composer import enhance
from workbench.prompts.forms import Shape, form_for
from workbench.prompts.forms.families import family_for, form_families
from workbench.prompts.markers import add_marker
from workbench.prompts.model import Source
from workbench.scene import Scene

DRAFT = enhance("a red car driving through a city at night, pan left")


@pytest.mark.parametrize("form", list(Form))
def test_every_form_names_who_and_what_and_carries_no_marker(form: Form) -> None:
    marked = add_marker(DRAFT.prompt, Source.FALLBACK)
    text = text_for_model(marked, DRAFT.scene, form)
    assert "red car" in text
    assert "driv" in text
    assert "(fallback" not in text


def test_the_paragraph_is_the_prompt_itself() -> None:
    assert text_for_model(DRAFT.prompt, DRAFT.scene) == DRAFT.prompt


def test_wan_has_its_tags_first() -> None:
    text = text_for_model(DRAFT.prompt, DRAFT.scene, Form.WAN)
    tags, _, rest = text.partition(". ")
    assert "pan left" in tags.lower()
    assert "night" in tags
    assert rest.startswith("A red car driv")


def test_ltx_begins_with_the_action_and_goes_on_to_camera_and_light() -> None:
    scene = DRAFT.scene.edit({"lighting": "neon light", "shot_size": "wide shot"})
    text = text_for_model(DRAFT.prompt, scene, Form.LTX)
    assert text.startswith("A red car driv")
    assert text.index("driv") < text.index("The camera: wide shot") < text.index("neon light")


def test_wan_and_ltx_keep_the_prompt_word_for_word() -> None:
    for form in (Form.WAN, Form.LTX):
        assert DRAFT.prompt.rstrip(".") in text_for_model(DRAFT.prompt, DRAFT.scene, form)


SHAPE = Shape(1280, 720, 189, 24)
KEYS = {
    "subjects", "background_setting", "lighting", "aesthetics", "cinematography", "style_medium",
    "artistic_style", "context", "actions", "text_and_signage_elements", "segments", "transitions",
    "temporal_caption", "audio_description", "resolution", "aspect_ratio", "duration", "fps",
}  # fmt: skip


def test_cosmos_is_the_whole_caption_with_every_key_and_the_video_s_shape() -> None:
    caption = json.loads(text_for_model(DRAFT.prompt, DRAFT.scene, Form.COSMOS, shape=SHAPE))
    assert set(caption) == KEYS
    assert caption["temporal_caption"] == DRAFT.prompt
    assert caption["subjects"][0]["description"] == "a red car"
    assert "night" in caption["lighting"]["conditions"]
    assert caption["cinematography"]["camera_motion"] == "pan left"
    assert (caption["duration"], caption["fps"]) == ("7s", 24.0)
    assert caption["resolution"] == {"H": 720, "W": 1280}
    assert caption["aspect_ratio"] == "16,9"


def test_cosmos_tells_one_thing_after_the_other_in_time() -> None:
    draft = enhance("a chef cracks eggs into a bowl, then whisks them")
    caption = json.loads(text_for_model(draft.prompt, draft.scene, Form.COSMOS, shape=SHAPE))
    times = [action["time"] for action in caption["actions"]]
    assert times == ["0:00-0:04", "0:04-0:08"]
    assert "crack" in caption["actions"][0]["description"]
    assert "whisk" in caption["actions"][1]["description"]
    assert caption["subjects"][0]["number_of_legs"] == 2


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [(832, 480, "16,9"), (480, 832, "9,16"), (960, 960, "1,1"), (1104, 832, "4,3")],
)
def test_a_caption_names_the_nearest_shape_that_the_model_knows(
    width: int, height: int, ratio: str
) -> None:
    assert Shape(width, height, 93, 24).ratio == ratio


def test_the_short_form_fits_an_encoder_of_77_tokens() -> None:
    long = enhance("a red car driving through a city at night " + "past shops and lamps " * 30)
    text = text_for_model(long.prompt, long.scene, Form.SHORT)
    assert len(text.split()) <= 45
    assert "red car" in text


def test_every_family_says_its_length_and_where_that_is_said() -> None:
    for family in form_families():
        least, most = family.words
        assert 0 < least < most
        assert family.source


@pytest.mark.parametrize("form", list(Form))
def test_an_empty_scene_still_gives_the_text(form: Form) -> None:
    assert "something odd" in text_for_model("something odd", Scene(), form)


def test_the_family_is_told_by_the_models_name() -> None:
    assert form_for("Wan-AI/Wan2.2-T2V-A14B-Diffusers") is Form.WAN
    assert form_for("Lightricks/LTX-Video") is Form.LTX
    assert form_for("nvidia/Cosmos3-Nano") is Form.COSMOS
    assert form_for("/models/nvidia/Cosmos-Predict2-2B") is Form.PARAGRAPH
    assert form_for("guoyww/animatediff-motion-adapter-v1-5-2") is Form.SHORT
    assert form_for("genmo/mochi-1-preview") is Form.PARAGRAPH
    assert form_for("/home/swan/a model") is Form.PARAGRAPH
    assert form_for("someone/swan2-video") is Form.PARAGRAPH


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("Wan-AI/Wan2.1-T2V-14B-Diffusers", (80, 100)),
        ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", (60, 200)),
        ("Lightricks/LTX-Video", (60, 90)),
        ("Lightricks/LTX-2", (60, 200)),
        ("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v", (210, 350)),
        ("THUDM/CogVideoX-5b", (80, 100)),
        ("genmo/mochi-1-preview", (60, 120)),
    ],
)
def test_a_model_is_written_for_at_the_length_of_its_family(
    model: str, words: tuple[int, int]
) -> None:
    assert family_for(model).words == words


def test_a_caption_escapes_what_is_not_ascii_as_in_training() -> None:
    draft = enhance('a sign that says "Café" above a door')
    caption = text_for_model(draft.prompt, draft.scene, Form.COSMOS, shape=SHAPE)
    assert caption.isascii()
    assert "Café" in json.loads(caption)["temporal_caption"]


def test_every_public_name_can_be_had_and_no_other() -> None:
    for name in workbench.prompts.__all__:
        assert getattr(workbench.prompts, name) is not None
    with pytest.raises(AttributeError):
        _ = workbench.prompts.no_such_name


def test_importing_the_package_loads_neither_morphology_nor_language_models() -> None:
    script = (
        "import sys, workbench.prompts; from workbench.prompts import PromptWriter; "
        "print([m for m in ('lemminflect', 'openai', 'httpx', 'torch', 'transformers', 'inflect')"
        " if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "[]"
