"""The browser's messages handled over the real Studio, without a browser or renders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench
from tests.widgets.talk import Talk
from workbench.errors import Busy, InvalidRequest
from workbench.identifiers import Kind, new_identifier
from workbench.jobs.model import Batch, Job
from workbench.prompts.model import Entry
from workbench.rendering import RenderParameters
from workbench.scene import SCENE_FIELDS
from workbench.settings import Settings
from workbench.studio import Studio
from workbench.widgets.presentation import FIELD_GROUPS, field_views
from workbench.widgets.renders import render_parameters


class FullStudio(Studio):
    """A studio whose queue is always full, and that starts no supervisor."""

    speechless = False
    """Whether generating variations fails too."""

    async def variations(self, *args: Any, **kwargs: Any) -> tuple[Entry, ...]:
        if self.speechless:
            raise Busy("Nobody writes now; try again in a while.")
        return await super().variations(*args, **kwargs)

    async def warm_up(self) -> None:
        """Start nothing."""

    async def render(self, *_args: Any, **_kwargs: Any) -> Job:
        raise Busy("The queue is full; try again in a while.")

    async def render_batch(self, *_args: Any, **_kwargs: Any) -> Batch:
        raise Busy("The queue is full; try again in a while.")


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    studio = FullStudio(Settings(outputs=tmp_path / "outputs"))
    bench = workbench.Workbench(using=studio)
    yield Talk(bench)
    bench.close()
    studio.close()


def test_a_prompt_is_kept_although_its_video_could_not_start(talk: Talk) -> None:
    answer = talk.ask("enhance", text="dog running")
    assert "queue is full" in answer["value"]["warning"]
    assert "dog" in talk.entries[answer["value"]["index"]]["prompt"]
    assert talk.bench.session is not None
    assert talk.bench.session.prompt.text == talk.entries[-1]["prompt"]


def test_an_error_is_answered_with_a_message_and_nothing_is_lost(talk: Talk) -> None:
    talk.ask("enhance", text="dog running")
    talk.ask("vary", index=0, total=4)
    refused = talk.ask("render_all")
    assert refused["error"]["message"] == "The queue is full; try again in a while."
    assert len(talk.bench.board_state["indices"]) == 4


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("no_such_command", {}),
        ("_ask", {}),
        ("enhance", {}),
        ("enhance", {"text": ""}),
        ("enhance", {"text": 7}),
        ("vary", {"index": -1}),
        ("vary", {"index": 0, "total": 1_000}),
        ("render", {"index": 99}),
        ("cancel", {"job": "../../etc/passwd"}),
        ("file", {"job": "j_0", "name": "recipe"}),
        ("open", {"session": "s_00000000000000000000"}),
        ("archive", {"jobs": []}),
    ],
)
def test_an_invalid_message_is_refused(talk: Talk, name: str, arguments: dict[str, Any]) -> None:
    talk.ask("enhance", text="dog running")
    answer = talk.ask(name, **arguments)
    assert answer["error"]["message"]
    assert "unforeseen" not in answer["error"]["message"]


def test_pinned_cards_stay_when_others_are_generated(talk: Talk) -> None:
    talk.ask("enhance", text="dog running")
    talk.ask("vary", index=0, total=5)
    kept = talk.bench.board_state["indices"][2]
    talk.ask("pin", index=kept, on=True)
    talk.ask("vary", index=0, total=4, again=True)
    indices = talk.bench.board_state["indices"]
    assert indices[:2] == [0, kept]
    assert len(indices) == len(set(indices)) == 4
    again = talk.ask("regenerate", index=indices[3])["value"]["index"]
    assert talk.bench.board_state["indices"] == [*indices[:3], again]


def test_a_reopened_session_has_the_same_cards(talk: Talk, tmp_path: Path) -> None:
    talk.ask("enhance", text="dog running")
    talk.ask("vary", index=0, total=4)
    session_id = talk.bench.session_state["id"]
    entries = talk.entries
    studio = FullStudio(Settings(outputs=tmp_path / "outputs"))
    other = Talk(workbench.Workbench(using=studio))
    other.ask("open", session=session_id)
    assert other.entries == entries
    assert other.bench.board_state["indices"] == [0, 1, 2, 3]
    other.bench.close()
    studio.close()


def test_a_private_screen_lists_only_sessions_of_its_browser(talk: Talk, tmp_path: Path) -> None:
    talk.ask("enhance", text="dog running")
    session_id = talk.bench.session_state["id"]
    studio = FullStudio(Settings(outputs=tmp_path / "outputs"))
    visitor = Talk(workbench.Workbench(using=studio, private=True))
    assert visitor.ask("sessions", known=[])["value"]["sessions"] == []
    known = visitor.ask("sessions", known=[session_id, "s_nonsense"])["value"]["sessions"]
    assert [one["id"] for one in known] == [session_id]
    mine = talk.ask("sessions", known=[])["value"]["sessions"]
    assert [one["id"] for one in mine] == [session_id]
    visitor.bench.close()
    studio.close()


def test_an_edited_prompt_is_a_child_of_the_original(talk: Talk) -> None:
    talk.ask("enhance", text="dog running")
    before = talk.entries[0]
    text = before["prompt"].replace("dog", "cat")
    index = talk.ask("accept", index=0, text=text)["value"]["index"]
    edited = talk.entries[index]
    assert (edited["parent"], edited["prompt"]) == (0, text)
    assert talk.entries[0] == before


def test_cards_stay_when_new_ones_cannot_be_generated(talk: Talk) -> None:
    talk.ask("enhance", text="dog running")
    talk.ask("vary", index=0, total=4)
    table = talk.bench.board_state
    studio = talk.bench._studio
    assert isinstance(studio, FullStudio)
    studio.speechless = True
    assert "error" in talk.ask("vary", index=0, total=4, again=True)
    assert talk.bench.board_state == table


def test_one_change_is_undone_and_the_rest_stays(talk: Talk) -> None:
    talk.ask("enhance", text="dog running")
    rain = talk.ask("tune", index=0, request="in heavy rain")["value"]["index"]
    night = talk.ask("tune", index=rain, request="at night")["value"]["index"]
    undone = talk.ask("undo", answer=rain, current=night)["value"]["index"]
    scene = talk.entries[undone]["scene"]
    assert scene["time_of_day"]["value"] == "night"
    assert scene["weather"]["value"] == talk.entries[0]["scene"]["weather"]["value"]


def test_the_controller_does_not_depend_on_the_callers_event_loop(talk: Talk) -> None:
    async def busy() -> dict[str, Any]:
        return talk.ask("enhance", text="dog running")  # blocks this loop throughout

    assert "value" in asyncio.run(busy())


def test_every_scene_field_is_in_one_group() -> None:
    grouped = [field for fields in FIELD_GROUPS.values() for field in fields]
    assert sorted(grouped) == sorted(SCENE_FIELDS)
    shown = {field["name"]: field for group in field_views() for field in group["fields"]}
    assert "night" in shown["time_of_day"]["terms"]
    assert shown["details"]["several"]


@pytest.mark.parametrize(
    "options",
    [
        {"image": "/etc/hostname"},
        {"last_image": "picture.png"},
        {"video": "../video.mp4"},
        {"mask": "mask.png"},
        {"references": ["/etc/hostname"]},
        {"control": {"kind": "depth", "video": "depth.mp4"}},
        {"keyframes": [{"at_s": 1, "image": "picture.png"}]},
        {"options": {"references": ["picture"]}},
        {"model": "/models/secret"},
        {"model": "~/models/secret"},
        {"options": {"image": "picture.png"}},
        {"options": {"lora": {"weights": "/etc/hostname"}}},
        {"options": {"files": ["file:///etc/hostname"]}},
        {"transformer": "/models/secret.gguf"},
        {"transformer": "weights/secret.safetensors"},
        {"transformer_2": "models/../../secret"},
        {"text_encoder": "here"},
        {"vae": " ./secret"},
        {"loras": [{"path": "/models/secret.safetensors"}]},
        {"loras": [{"path": "owner/name", "file": "../secret.safetensors"}]},
        {"loras": [{"path": "a/b/c"}]},
        {"model": "C:\\\\secret"},
    ],
)
def test_a_page_cannot_name_a_file_of_the_server(
    talk: Talk, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    talk.ask("enhance", text="dog running")
    refused = talk.ask("render", index=0, options=options)
    assert "cannot use file paths" in refused["error"]["message"]
    assert refused["error"]["fields"] == list(options)


@pytest.mark.parametrize("settings", [{"image": "/etc/hostname"}, {"model": "/etc"}])
def test_no_command_takes_settings_that_name_a_file(talk: Talk, settings: dict[str, str]) -> None:
    talk.ask("enhance", text="dog running")
    job = new_identifier(Kind.JOB)
    asked: dict[str, dict[str, Any]] = {
        "set_render": {"values": settings},
        "direction": {"job": job, "settings": settings},
        "direct": {"job": job, "kind": "depth", "settings": settings},
        "live_begin": {"settings": settings, "idea": "a red car"},
    }
    for name, arguments in asked.items():
        assert "cannot use file paths" in talk.ask(name, **arguments)["error"]["message"], name


def test_every_parameter_that_can_name_weights_or_a_file_is_checked() -> None:
    file = "/etc/hostname"
    shapes: tuple[Any, ...] = (
        file, [file], {"path": file}, [{"path": file}], [{"at_s": 0, "image": file}],
        {"kind": "depth", "video": file},
    )  # fmt: skip
    refused = set()
    for name in RenderParameters.model_fields:
        for value in shapes:
            try:
                render_parameters({name: value})
            except InvalidRequest as error:
                if "cannot use file paths" in str(error):
                    refused.add(name)
            else:  # text for a model; looked up among the engines; words, or an id
                assert name in {"negative_prompt", "engine", "camera"}, (name, value)
    assert refused >= {
        "model",
        "loras",
        "transformer",
        "vae",
        "options",
        "image",
        "keyframes",
        "control",
    }


@pytest.mark.parametrize("field", ["estimator", "detector"])
def test_a_page_does_not_name_the_folder_of_an_estimator(field: str) -> None:
    control = {"kind": "pose", "video": new_identifier(Kind.INPUT), "ready": False}
    assert render_parameters({"control": control}).control is not None
    with pytest.raises(InvalidRequest, match="cannot use file paths: control"):
        render_parameters({"control": {**control, field: "/models/pose"}})


def test_a_page_names_models_of_a_hub_and_inputs_by_id() -> None:
    named = {
        "model": "Wan-AI/Wan2.2-TI2V-5B-Diffusers",
        "loras": [{"path": "owner/my.lora-v1.2", "file": "high/lora.safetensors"}],
        "image": new_identifier(Kind.INPUT),
        "negative_prompt": "/ no text, file: none",
    }
    assert set(render_parameters(named).given) == set(named)


def test_an_unknown_render_setting_is_named(talk: Talk) -> None:
    talk.ask("enhance", text="dog running")
    assert "'sise'" in talk.ask("render", index=0, options={"sise": 3})["error"]["message"]


@pytest.mark.parametrize("idea", ["a lighthouse in a storm", "an old man fishing at dawn"])
def test_one_thing_at_a_time_changes_one_field_per_card(talk: Talk, idea: str) -> None:
    talk.ask("enhance", text=idea)
    for axes in ([], ["lighting"]):
        talk.ask("vary", index=0, total=8, axes=axes, one_thing=True, again=bool(axes))
        dealt = [talk.entries[index] for index in talk.bench.board_state["indices"][1:]]
        fields = [[change["field"] for change in entry["changes"]] for entry in dealt]
        assert len(fields) == 7
        assert all(len(one) == 1 for one in fields), "what cannot change alone gives its turn away"
        if axes:
            assert fields == [axes] * 7
