"""Prompt files of every format are read; mistakes are reported by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import workbench as wb
from workbench.control import ActionSequence, CameraPath, path_from_keys
from workbench.errors import InvalidRequest
from workbench.research.dynamic import expand, is_dynamic
from workbench.research.prompt_files import read_prompts


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_list_and_a_single_prompt_are_accepted() -> None:
    assert [i.text for i in read_prompts(["a dog", {"prompt": " a cat "}])] == ["a dog", "a cat"]
    assert [i.text for i in read_prompts("a dog, running. Slowly")] == ["a dog, running. Slowly"]


def test_a_text_file_has_one_prompt_a_line(tmp_path: Path) -> None:
    path = _file(tmp_path, "ideas.txt", "﻿a dog\n\n# not this\n  ein Hund läuft \n")
    assert [i.text for i in read_prompts(path)] == ["a dog", "ein Hund läuft"]


def test_columns_are_parameters_or_labels(tmp_path: Path) -> None:
    text = 'prompt,seed,guidance_scale,scene_id\n"a dog, running",7,4.5,A-1\na cat,,,A-2\n'
    dog, cat = read_prompts(str(_file(tmp_path, "ideas.csv", text)))
    assert dog.text == "a dog, running"
    assert dog.values == {"seed": 7, "guidance_scale": 4.5}
    assert dog.labels == {"scene_id": "A-1"}
    assert cat.values == {}


def test_a_frame_rate_may_be_a_fraction_or_a_ratio(tmp_path: Path) -> None:
    text = "prompt,fps\na dog,24\na cat,23.976\na bird,24000/1001\n"
    ideas = read_prompts(_file(tmp_path, "ideas.csv", text))
    assert [idea.values["fps"] for idea in ideas] == [24, 23.976, 24_000 / 1_001]
    with pytest.raises(InvalidRequest, match="fps must be a number or a ratio such as 24000/1001"):
        read_prompts([{"prompt": "a dog", "fps": "24/0"}])


def test_camera_and_actions_are_read_from_files_objects_and_ids(tmp_path: Path) -> None:
    path = path_from_keys("w-3,j-2").value
    arm = ActionSequence.of([[0.5] * 10] * 4, "umi", fps=10)
    keys = _file(tmp_path, "path.json", path.model_dump_json())
    rows = _file(tmp_path, "arm.json", arm.model_dump_json())
    upload = "i_" + "0" * 20
    lines = [
        {"prompt": "a", "camera": str(keys), "actions": str(rows)},
        {"prompt": "b", "camera": path.model_dump(mode="json"), "actions": {"values": upload}},
        {"prompt": "c", "camera": "w-3,j-2", "actions": upload},
        {"prompt": "d", "camera": upload, "actions": {"mode": "policy", "embodiment": "umi"}},
    ]
    text = "\n".join(map(json.dumps, lines))
    found = [i.values for i in read_prompts(_file(tmp_path, "ideas.jsonl", text))]
    assert [CameraPath.model_validate(one["camera"]) for one in found[:2]] == [path, path]
    assert ActionSequence.model_validate(found[0]["actions"]) == arm
    assert [one["actions"] for one in found[1:3]] == [{"values": upload}] * 2
    assert [one["camera"] for one in found[2:]] == ["w-3,j-2", upload]
    as_csv = f'prompt,actions\na,"{{""values"": ""{upload}""}}"\n'
    (idea,) = read_prompts(_file(tmp_path, "ideas.csv", as_csv))
    assert idea.values == {"actions": {"values": upload}}


def test_a_camera_or_actions_that_cannot_be_read_are_told_by_line(tmp_path: Path) -> None:
    text = 'prompt,camera,actions\na,none.json,\nb,,none.csv\nc,"{oops",\n'
    with pytest.raises(InvalidRequest) as caught:
        read_prompts(_file(tmp_path, "ideas.csv", text))
    told = [(p.field, p.problem) for p in caught.value.problems]
    assert [field for field, _ in told] == [f"ideas.csv line {n}" for n in (2, 3, 4)]
    assert told[0][1].startswith("camera: ")
    assert told[1][1].startswith("actions: ")
    assert told[2][1] == "camera must be a text or an object, not '{oops'"


def test_json_lines_are_texts_or_objects(tmp_path: Path) -> None:
    path = _file(tmp_path, "ideas.jsonl", '"a dog"\n{"prompt": "a cat", "seed": 3, "by": "Ada"}\n')
    dog, cat = read_prompts(path)
    assert (dog.text, cat.values, cat.labels) == ("a dog", {"seed": 3}, {"by": "Ada"})


def test_an_exported_session_keeps_its_scenes(studio: wb.Studio, tmp_path: Path) -> None:
    session = wb.enhance("a fox in snow", using=studio)
    session.tune("make it night")
    document = studio.sessions.export(session.session_id)
    path = _file(tmp_path, "session.json", json.dumps(document))
    ideas = read_prompts(path)
    assert [i.text for i in ideas] == [p.text for p in session.history]
    assert ideas[-1].scene == session.scene


def test_every_mistake_is_reported_with_its_line(tmp_path: Path) -> None:
    text = "prompt,seed,width\n,1,\na dog,x,\na cat,1,wide\na bird,1,64,surplus\n"
    with pytest.raises(InvalidRequest) as caught:
        read_prompts(_file(tmp_path, "ideas.csv", text))
    assert [(p.field, p.problem) for p in caught.value.problems] == [
        ("ideas.csv line 2", "has no prompt"),
        ("ideas.csv line 3", "seed must be a whole number, not 'x'"),
        ("ideas.csv line 4", "width must be a whole number, not 'wide'"),
        ("ideas.csv line 5", "has more cells than the header has columns"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "text\nx\n", "no column 'prompt'"),
        ("a.jsonl", '{"prompt": \n', "is not JSON"),
        ("a.json", '{"prompt": "x"}', "neither a list of prompts nor an exported session"),
        ("a.json", '{"format": "world-model-workbench session"}', "not an exported session"),
        ("a.txt", "\n# nothing\n", "contains no prompt"),
        ("a.jsonl", "3\n", "neither a text nor an object"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    with pytest.raises(InvalidRequest, match=told):
        read_prompts(_file(tmp_path, name, text))


def test_a_missing_file_is_an_error_and_not_a_prompt(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_prompts(str(tmp_path / "none.csv"))
    (tmp_path / "latin.txt").write_bytes("fünf".encode("latin-1"))
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_prompts(tmp_path / "latin.txt")


def test_dynamic_prompts_expand_to_every_combination() -> None:
    assert expand("a {red|blue} kite") == ["a red kite", "a blue kite"]
    assert len(expand("{2$$ and $$a cat|a dog|a bird} at {dawn|night}")) == 12
    assert not is_dynamic("a kite {not dynamic} at noon")
    assert expand("plain {braces}") == ["plain {braces}"]


def test_a_seed_samples_the_same_prompts_each_time() -> None:
    text = "{a|b|c|d|e|f} {1|2|3|4|5|6}"
    drawn = expand(text, limit=5, seed=3)
    assert len(set(drawn)) == 5
    assert drawn == expand(text, limit=5, seed=3)
    assert set(drawn) <= set(expand(text))
    with pytest.raises(InvalidRequest, match="more than 5 prompts"):
        expand(text, limit=5)


def test_wildcards_come_from_files_and_a_missing_one_is_named(tmp_path: Path) -> None:
    _file(tmp_path, "colour.txt", "red\nblue\n")
    assert expand("a __colour__ kite", wildcards=tmp_path) == ["a blue kite", "a red kite"]
    with pytest.raises(InvalidRequest, match="__size__"):
        expand("a __size__ kite", wildcards=tmp_path)
    with pytest.raises(InvalidRequest, match="needs a folder"):
        expand("a __size__ kite")
    with pytest.raises(InvalidRequest, match="not a valid dynamic prompt"):
        expand("a {red|blue} {kite|")


def test_a_line_ends_at_a_line_feed_alone(tmp_path: Path) -> None:
    text = "a dog\u2028running\x85far\x0cslowly"
    lines = json.dumps({"prompt": text}, ensure_ascii=False) + "\r\n" + json.dumps(text) + "\n"
    assert [i.text for i in read_prompts(_file(tmp_path, "a.jsonl", lines))] == [text, text]
    assert [i.text for i in read_prompts(_file(tmp_path, "a.txt", f"{text}\n"))] == [text]


def test_spaces_around_column_names_are_ignored(tmp_path: Path) -> None:
    (dog,) = read_prompts(_file(tmp_path, "a.csv", " prompt , seed\na dog, 7\n"))
    assert (dog.text, dog.values) == ("a dog", {"seed": 7})


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "prompt\n" + "x" * 200_000 + "\n", "cannot be read as CSV"),
        ("a.csv", 'prompt\n"a dog\n' + "x" * 200_000, "cannot be read as CSV"),
        ("a.json", "[" * 200_000, "is not JSON"),
        ("a.jsonl", '{"prompt": ' * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_refused_with_a_message(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    with pytest.raises(InvalidRequest, match=told):
        read_prompts(_file(tmp_path, name, text))
