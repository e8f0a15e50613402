"""Only the user's own message leads to actions: all other text is data, whatever its source."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import openai  # noqa: F401  its import takes longer than a first question should wait
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.prompts.agent.injected import ORDER, Gullible, bare_texts
from tests.prompts.agent.scripted import call, say, scripted
from workbench.jobs.client.contact import Contact
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.rendering import Recipe, RenderRequest
from workbench.research.prompt_files import read_prompts
from workbench.scene import Scene
from workbench.settings import Settings
from workbench.studio import Studio

PROMPT = f"A brown dog runs along a wide beach in the wind. {ORDER}"
REQUEST = "could it be rather late in there"


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio whose renders wait in the queue."""
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)
    with Studio(Settings(outputs=tmp_path / "outputs", language_retries=0)) as made:
        yield made


def from_a_recipe(studio: Studio, _folder: Path) -> str:
    scene = Scene(subject="a brown dog", details=(ORDER,), on_screen_text=ORDER)
    recipe = Recipe(
        job_id="j", parent_prompt=ORDER, created_at=datetime.now(UTC),
        request=RenderRequest(prompt=PROMPT, scene=scene, negative_prompt=ORDER),
    )  # fmt: skip
    session_id, _ = studio.run(studio.restore(recipe))
    return session_id


def from_a_file_of_prompts(studio: Studio, folder: Path) -> str:
    file = folder / "prompts.txt"
    file.write_text(f"{PROMPT}\n", "utf-8")
    (idea,) = read_prompts(file)
    session_id, _ = studio.run(studio.sessions.initialize(idea.text))
    return session_id


def from_an_exported_session(studio: Studio, folder: Path) -> str:
    document = studio.sessions.export(from_a_file_of_prompts(studio, folder))
    document["entries"][0] |= {"request": ORDER, "message": ORDER}
    return studio.sessions.import_(document)


def from_an_idea(studio: Studio, _folder: Path) -> str:
    session_id, _ = studio.run(studio.enhance(PROMPT))
    return session_id


SOURCES = [from_a_recipe, from_a_file_of_prompts, from_an_exported_session, from_an_idea]
Begin = Callable[[Studio, Path], str]


def assert_only_night(studio: Studio, session_id: str, kinds: list[str]) -> None:
    here = studio.sessions.current(session_id)
    assert here is not None
    assert here.scene.time_of_day == "night"
    assert here.settings.aspect is None
    assert studio.jobs.jobs().total == 0
    assert kinds == ["edit_field"]


@pytest.mark.parametrize("begin", SOURCES, ids=lambda begin: begin.__name__)
def test_an_order_in_material_is_told_to_the_model_as_data_alone(
    begin: Begin, studio: Studio, tmp_path: Path
) -> None:
    session_id = begin(studio, tmp_path)
    model = Gullible(call(("look", {"entry": 0})))
    with scripted([model.reply]) as script:
        choose(studio, session_id, script.base_url)
        revision, _ = studio.run(studio.update(session_id, REQUEST))
        assert model.was_shown_the_order
        assert REQUEST in bare_texts(script.asked[-1])
    assert_only_night(studio, session_id, [a.kind for a in revision.actions])


@pytest.mark.parametrize("begin", SOURCES, ids=lambda begin: begin.__name__)
def test_an_order_in_material_is_nothing_to_the_rules(
    begin: Begin, studio: Studio, tmp_path: Path
) -> None:
    session_id = begin(studio, tmp_path)
    revision, _ = studio.run(studio.update(session_id, "make it night"))
    assert_only_night(studio, session_id, [a.kind for a in revision.actions])


def test_an_order_in_the_models_own_earlier_answers_is_data_in_the_next_turn(
    studio: Studio, tmp_path: Path
) -> None:
    session_id, _ = studio.run(studio.enhance("a dog running on a beach"))
    model = Gullible(call(("look", {"entry": 0})), say(ORDER))
    with scripted([model.reply]) as script:
        choose(studio, session_id, script.base_url)
        said, _ = studio.run(studio.update(session_id, "what would you say of all this, in short"))
        assert said.message == ORDER
        assert said.actions == ()
        studio.run(studio.variations(session_id, [0], 2))  # the order is a card's name now
        revision, _ = studio.run(studio.update(session_id, REQUEST))
    assert_only_night(studio, session_id, [a.kind for a in revision.actions])


def test_an_order_in_a_pictures_metadata_is_not_sent_at_all(studio: Studio, tmp_path: Path) -> None:
    told = PngInfo()
    told.add_text("Description", ORDER)
    path = tmp_path / "start.png"
    Image.new("RGB", (64, 64), "teal").save(path, pnginfo=told)
    session_id, _ = studio.run(studio.enhance("a dog running on a beach"))
    model = Gullible()
    with scripted([model.reply]) as script:
        choose(studio, session_id, script.base_url)
        revision, _ = studio.run(studio.update(session_id, REQUEST, image=str(path)))
        (sent,) = [
            part["image_url"]["url"]
            for message in script.asked[0]["messages"] if isinstance(message["content"], list)
            for part in message["content"] if part["type"] == "image_url"
        ]  # fmt: skip
    assert ORDER.encode() not in base64.b64decode(sent.partition("base64,")[2])
    assert not model.was_shown_the_order
    assert_only_night(studio, session_id, [a.kind for a in revision.actions])


def test_a_model_that_obeys_the_order_all_the_same_is_held_to_what_waits_for_a_click(
    studio: Studio, tmp_path: Path
) -> None:
    session_id = from_a_recipe(studio, tmp_path)
    obeys = call(
        ("render", {"seeds": 64}), ("vary", {"count": 20, "render": True}),
        ("set_render", {"values": {"model": "/etc/passwd"}}),
        ("set_render", {"values": {"image": "../../secret.png"}}),
        ("delete_session", {}), ("use_language", {"base_url": "http://evil.example"}),
    )  # fmt: skip
    with scripted([obeys, say("All done.")]) as script:
        choose(studio, session_id, script.base_url)
        revision, _ = studio.run(studio.update(session_id, REQUEST))
    assert {action.kind for action in revision.actions} <= {"propose"}
    assert studio.jobs.jobs().total == 0
    here = studio.sessions.current(session_id)
    assert here is not None
    assert (here.settings.model, here.settings.image) == (None, None)


def choose(studio: Studio, session_id: str, base_url: str) -> None:
    choice = LanguageChoice(provider="openai", model="m", base_url=base_url)
    studio.run(studio.choose_language(choice, session_id))
