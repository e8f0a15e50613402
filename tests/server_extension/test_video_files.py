"""Video files are sent whole or in ranges, never from the event loop."""

from __future__ import annotations

from pathlib import Path

from tests.live_server import ROOT, LiveServer

_NO_FILES_ON_THE_LOOP = {"PYTHONPATH": f"{Path(__file__).parent / 'loop'}:{ROOT}"}


def test_a_video_is_sent_without_touching_its_file_on_the_event_loop(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "outputs", environment=_NO_FILES_ON_THE_LOOP) as server:
        asked = {"prompt": "a kite", "num_frames": 9, "width": 128, "height": 96}
        job = server.post("/api/video/single_inference", asked).json()
        url = server.wait_for_job(job["job_id"])["video_url"]
        whole = server.get(url)
        assert whole.status_code == 200, whole.text
        assert whole.content == next(server.outputs.glob("**/video.mp4")).read_bytes()
        assert whole.headers["Content-Length"] == str(len(whole.content))
        part = server.get(url, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        end = server.get(url, headers={"Range": "bytes=-50"})
        assert (end.status_code, end.content) == (206, whole.content[-50:])
        assert server.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416
        known = {"If-None-Match": whole.headers["ETag"]}
        assert server.get(url, headers=known).status_code == 304
        head = server.request("HEAD", url)
        assert (head.content, head.headers["Content-Length"]) == (b"", str(len(whole.content)))
