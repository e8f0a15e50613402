"""Camera paths over REST: words, keys, documents, uploads and jobs, refused before anything is queued."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.live_server import LiveServer
from workbench.control import path_from_keys, path_to_colmap, path_to_npz, path_to_tum
from workbench.engines.channels import read_channel

_KEYS = path_from_keys("w-4,jw-4").value


def _asked(server: LiveServer, camera: Any) -> Any:
    asked = {"prompt": "a dog runs", "num_frames": 9, "fps": 16, "width": 128, "height": 96}
    return server.post("/api/video/single_inference", {**asked, "camera": camera})


def _recipe(server: LiveServer, told: Any) -> Any:
    assert told.status_code == 201, told.text
    job = server.wait_for_job(told.json()["job_id"])
    url = job["video_url"].replace("video.mp4", "recipe.json")
    return server.get(url).json()["request"]["camera"]


def _upload(server: LiveServer, content: bytes, media_type: str) -> Any:
    headers = {"Content-Type": media_type}
    return server.request("POST", "/api/video/inputs", content=content, headers=headers)


def test_words_are_in_the_job_and_their_poses_in_the_recipe(server: LiveServer) -> None:
    told = _asked(server, "orbit left 20 degrees and purple")
    job = told.json()["job"]
    assert job["camera"] == {
        "said": "orbit left 20 degrees and purple",
        "words": "orbit left 20 degrees and purple",
        "notes": ["Not read: 'purple'."],
        "way": "poses",
    }
    assert len(_recipe(server, told)["path"]["keyframes"]) == 9


def test_a_document_is_followed_as_it_is(server: LiveServer) -> None:
    document = _KEYS.model_dump(mode="json", exclude_none=True)
    assert _recipe(server, _asked(server, document))["path"] == document


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (path_to_npz(_KEYS).value, "application/octet-stream"),
        (path_to_tum(_KEYS).value.encode(), "text/plain"),
        (_KEYS.model_dump_json().encode(), "application/json"),
    ],
)
def test_an_uploaded_path_is_followed_by_its_id(
    server: LiveServer, content: bytes, media_type: str
) -> None:
    told = _upload(server, content, media_type)
    assert told.status_code == 201, told.text
    kept = told.json()
    assert (kept["kind"], kept["num_frames"]) == ("camera_path", 9)
    frames = _recipe(server, _asked(server, kept["input_id"]))["path"]["keyframes"]
    assert len(frames) == 9
    assert frames[8]["c2w"][2][3] == pytest.approx(_KEYS.c2w[8, 2, 3], abs=1e-9)


def test_colmaps_texts_are_uploaded_as_a_zip(server: LiveServer) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in path_to_colmap(_KEYS).value.items():
            archive.writestr(f"sparse/0/{name}", text)
        archive.writestr("sparse/0/points3D.txt", "")
    told = _upload(server, file.getvalue(), "application/zip")
    assert told.status_code == 201, told.text
    assert (told.json()["kind"], told.json()["num_frames"]) == ("camera_path", 9)
    frames = _recipe(server, _asked(server, told.json()["input_id"]))["path"]["keyframes"]
    assert frames[-1]["c2w"][2][3] == pytest.approx(_KEYS.c2w[8, 2, 3], abs=1e-9)
    lone = io.BytesIO()
    with zipfile.ZipFile(lone, "w") as archive:
        archive.writestr("images.txt", "")
    assert _upload(server, lone.getvalue(), "application/zip").status_code == 400


def test_a_drawing_is_a_camera_path_as_json(server: LiveServer) -> None:
    points = [[0.0, 0.0, 0.0], [0.0, 0.2, 0.25], [0.1, 0.3, 0.5]]
    frames = _recipe(server, _asked(server, {"drawing": points, "look": "ahead"}))["path"]
    ends = [one["c2w"] for one in frames["keyframes"]]
    assert [[one[0][3], one[2][3]] for one in ends] == [[x, z] for x, z, _ in points]
    told = _asked(server, {"drawing": [[0, 0, 0], [0, 1, 0]]})
    assert told.status_code == 400
    assert "camera" in told.json()["errors"][0]["field"]


def test_a_jobs_path_is_followed_by_its_id(server: LiveServer) -> None:
    first = _asked(server, "w-8")
    again = _asked(server, first.json()["job_id"])
    assert _recipe(server, again)["path"] == _recipe(server, first)["path"]


def test_channels_are_listed_in_the_job_and_served_beside_the_video(
    server: LiveServer, tmp_path: Path
) -> None:
    asked = {"prompt": "a dog runs on a beach", "num_frames": 5, "width": 128, "height": 96}
    asked |= {"camera": "push in", "channels": ["camera", "depth", "flow", "boxes"]}
    told = server.post("/api/video/single_inference", asked)
    assert told.json()["job"]["channels"] == {}, "there is nothing yet"
    job = server.wait_for_job(told.json()["job_id"])
    assert set(job["channels"]) == {"camera", "depth", "flow", "boxes", "facts"}
    for name, url in job["channels"].items():
        answer = server.get(url)
        assert answer.status_code == 200, name
        ending = url.rpartition(".")[2]
        wanted = {"json": "application/json", "mkv": "video/x-matroska"}[ending]
        assert answer.headers["Content-Type"].startswith(wanted)
        (tmp_path / url.rpartition("/")[2]).write_bytes(answer.content)
    assert len(list(read_channel(tmp_path / "depth.mkv"))) == 5
    assert len(server.get(job["channels"]["camera"]).json()["keyframes"]) == 5
    segments = job["channels"]["depth"].replace("depth", "segments")
    assert server.get(segments).status_code == 404, "nobody asked for it"


def test_a_channel_that_there_is_not_is_refused(server: LiveServer) -> None:
    asked = {"prompt": "a dog runs", "num_frames": 5, "width": 128, "height": 96}
    answer = server.post("/api/video/single_inference", {**asked, "channels": ["smell"]})
    assert answer.status_code == 400
    job = server.wait_for_job(server.post("/api/video/single_inference", asked).json()["job_id"])
    control = {"kind": "depth", "video": job["job_id"], "channel": True}
    answer = server.post("/api/video/single_inference", {**asked, "control": control})
    assert answer.status_code == 400
    assert "has no depth" in answer.json()["message"]


@pytest.mark.parametrize(
    ("camera", "told"),
    [
        ("a nice day", "no movement is understood"),
        ("w-8,x", "no movement is understood"),
        ("w-8,q-3", "unknown keys"),
        ({"c2w": [[1]]}, "poses of 4"),
        ("i_" + "0" * 20, "no input"),
        ([1, 2], "must be words"),
        ("", "describe a movement"),
    ],
)
def test_a_bad_camera_is_refused_with_its_field(server: LiveServer, camera: Any, told: str) -> None:
    answer = _asked(server, camera)
    assert answer.status_code == 400
    problem = answer.json()["errors"][0]
    assert problem["field"].startswith("camera")
    assert told in problem["problem"]


def test_a_damaged_upload_is_refused_and_a_path_is_no_picture(server: LiveServer) -> None:
    assert _upload(server, b"{", "application/json").status_code == 400
    kept = _upload(server, _KEYS.model_dump_json().encode(), "application/json").json()
    asked = {"prompt": "a dog runs", "image": kept["input_id"]}
    answer = server.post("/api/video/single_inference", asked)
    assert answer.status_code == 400
    assert "no picture or video" in answer.json()["message"]
