"""Action files are validated completely and round-trip through every format."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.paths import SEARCH
from workbench.control import (
    ActionSequence,
    actions_to_csv,
    actions_to_npy,
    embodiments,
    read_actions,
)
from workbench.control.conversion import MAX_FRAMES
from workbench.errors import InvalidRequest


@st.composite
def _sequences(draw: st.DrawFn) -> ActionSequence:
    name = draw(st.sampled_from(sorted(embodiments())))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 40)), embodiments()[name].width
    values = rng.normal(size=shape) * 10.0 ** rng.integers(-8, 3, shape)
    return ActionSequence.of(values, name, fps=draw(st.sampled_from([None, 5, 29.97])))


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_the_embodiments_are_those_of_cosmos_3() -> None:
    theirs = pytest.importorskip("diffusers.pipelines.cosmos.pipeline_cosmos3_omni")
    ours = embodiments()
    assert {name: e.width for name, e in ours.items()} == theirs._EMBODIMENT_TO_RAW_ACTION_DIM
    domains = theirs._EMBODIMENT_TO_DOMAIN_ID
    assert {name: e.domain for name, e in ours.items()} == {name: domains[name] for name in ours}


@pytest.mark.parametrize("name", sorted(embodiments()))
def test_the_blocks_of_an_embodiment_fill_its_width(name: str) -> None:
    widths = {"pose": 9, "gripper": 1, "fingertips": 15}
    body = embodiments()[name]
    assert sum(widths[block] for block in body.blocks) in {0, body.width}


@SEARCH
@given(_sequences())
def test_every_file_format_round_trips_the_same_numbers(
    tmp_path_factory: pytest.TempPathFactory, actions: ActionSequence
) -> None:
    folder = tmp_path_factory.mktemp("actions")
    npy, text = actions_to_npy(actions), actions_to_csv(actions)
    (folder / "a.npy").write_bytes(npy.value)
    (folder / "a.csv").write_text(text.value, "utf-8")
    (folder / "a.json").write_text(actions.model_dump_json(), "utf-8")
    for name in ("a.npy", "a.csv"):
        assert read_actions(folder / name, actions.embodiment, fps=actions.fps) == actions
    assert read_actions(folder / "a.json") == actions
    assert npy.notes[0].startswith(
        f"NPY contains only numbers: the embodiment {actions.embodiment}"
    )
    assert text.notes[0].startswith("CSV contains only numbers")


@pytest.mark.parametrize(
    "text",
    ["x,y\n1,2\n3,4\n", "1;2\n3;4", "1\t2\r\n3\t4\r\n", "\ufeff1,2\n\n3, 4\n", "[[1,2],[3,4]]"],
)
def test_common_table_layouts_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "actions.txt"
    path.write_text(text, "utf-8")
    assert read_actions(path, "pusht").values == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no row"),
        (b"x,y\n", "no row"),
        (b"1,2\n3\n", "line 2: has 1 columns, not 2"),
        (b"1,2\n3,spam\n", "line 2: 'spam' is not a number"),
        (b"1,2\n3,nan\n", "line 2: 'nan' is not a finite"),
        (b"1,2\n3,inf\n", "not a finite"),
        (b"1,2\n3,99999\n", "beyond"),
        (b"1,2,3\n", "takes 2"),
        (b'1,"2\n' + b"9" * 200_000, "is not a CSV file|not a number"),
        (b"1,2\n" * (MAX_FRAMES + 1), "more than"),
        (b"\xff\xfe1", "UTF-8"),
        (b"[", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1, 2]", "shape"),
        (b"[[1, 2], [3]]", "table of numbers"),
        (b'[["a", "b"]]', "table of numbers"),
        (b"[[NaN, 1]]", "finite"),
        (b'{"values": [[1, 2]], "embodiment": "av"}', "differs"),
        (b'{"values": [[1, 2]], "embodiment": ["av"]}', "differs"),
        (b'{"values": 3}', "values"),
        (b'{"values": [[1, 2]], "pickle": 1}', "Extra"),
        (_npy(np.zeros(3)), "shape"),
        (_npy(np.zeros((2, 3))), "takes 2"),
        (_npy(np.zeros((MAX_FRAMES + 1, 2))), "rows at most"),
        (_npy(np.full((2, 2), np.nan)), "finite"),
        (_npy(np.array(["a", "b"])), "not numbers"),
        (_npy(np.zeros((2, 2), complex)), "not numbers"),
        (_npy(np.zeros((2, 2)))[:-8], "is truncated"),
        (_npy(np.zeros((2, 2)))[:20], "not an NPY"),
        (b"\x93NUMPY\x09\x00" + bytes(80), "NPY version"),
        (
            _npy(np.zeros((2, 2))).replace(b"(2, 2), }      ", b"(9999999999,2)}"),
            "is truncated|no NPY",
        ),
    ],
)
def test_a_hostile_or_damaged_file_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "actions.bin"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=told):
        read_actions(path, "pusht")


def test_a_pickle_inside_an_npy_file_is_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    file = io.BytesIO()
    np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
    path = tmp_path / "actions.npy"
    for content in (file.getvalue(), pickle.dumps(Trap())):
        path.write_bytes(content)
        with pytest.raises(InvalidRequest):
            read_actions(path, "pusht")
    assert not (tmp_path / "sprung").exists()


@SEARCH
@given(st.data())
def test_random_bytes_are_refused_or_read_but_never_crash(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    good = bytearray(data.draw(st.sampled_from([_npy(np.ones((3, 2))), b"1,2\n3,4\n", b"[[1,2]]"])))
    places = data.draw(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 255)), max_size=6))
    for place, byte in places:
        good[place % len(good)] = byte
    path = tmp_path_factory.mktemp("fuzz") / "actions"
    path.write_bytes(bytes(good[: data.draw(st.integers(0, len(good)))]))
    with contextlib.suppress(InvalidRequest):
        assert read_actions(path, "pusht").array.shape[1] == 2


def test_a_path_that_is_not_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "pipe"):
        with pytest.raises(InvalidRequest, match="is not a file"):
            read_actions(path, "pusht")


def test_a_file_without_an_embodiment_is_refused_until_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,2", "utf-8")
    with pytest.raises(InvalidRequest, match="must be named; known: av"):
        read_actions(path)
    with pytest.raises(InvalidRequest, match="not an embodiment; known: av"):
        read_actions(path, "libero")


def test_actions_are_trimmed_or_padded_as_cosmos_does_with_a_note() -> None:
    actions = ActionSequence.of([[1, 2], [3, 4]], "pusht")
    assert actions.fitted(2).notes == ()
    short, long = actions.fitted(1), actions.fitted(4)
    assert short.value.array.tolist() == [[1, 2]]
    assert short.notes == ("1 actions at the end are left out.",)
    assert long.value.array.tolist() == [[1, 2], [3, 4], [3, 4], [3, 4]]
    assert long.notes == ("The last action is repeated 2 times.",)


def test_a_sequence_is_hashable_and_becomes_plain_json() -> None:
    actions = ActionSequence.of([[1, -0.0]], "pusht")
    assert hash(actions) == hash(ActionSequence.of([[1, 0.0]], "pusht"))
    assert json.loads(actions.model_dump_json())["values"] == [[1.0, 0.0]]
