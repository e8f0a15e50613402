"""One scene in the forms that model families want, and the package's cheap surface."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import workbench.prompts
from workbench.prompts import Form, text_for_model
from workbench.prompts.composer.composer import enhance
from workbench.prompts.forms import form_for
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
    assert rest.startswith("A red car driving")


def test_ltx_begins_with_the_action_and_goes_on_to_camera_and_light() -> None:
    scene = DRAFT.scene.edit({"lighting": "neon light"})
    text = text_for_model(DRAFT.prompt, scene, Form.LTX)
    assert text.startswith("A red car driving")
    assert text.index("driving") < text.index("camera") < text.index("light")


def test_cosmos_is_a_json_caption() -> None:
    caption = json.loads(text_for_model(DRAFT.prompt, DRAFT.scene, Form.COSMOS))
    assert caption["subject"] == "a red car"
    assert caption["time_of_day"] == "night"
    assert caption["caption"] == DRAFT.prompt
    assert all(caption.values())


@pytest.mark.parametrize("form", list(Form))
def test_an_empty_scene_still_gives_the_text(form: Form) -> None:
    assert "something odd" in text_for_model("something odd", Scene(), form)


def test_the_family_is_told_by_the_models_name() -> None:
    assert form_for("Wan-AI/Wan2.2-T2V-A14B-Diffusers") is Form.WAN
    assert form_for("Lightricks/LTX-Video") is Form.LTX
    assert form_for("/models/nvidia/Cosmos-Predict2-2B") is Form.COSMOS
    assert form_for("genmo/mochi-1-preview") is Form.PARAGRAPH


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
