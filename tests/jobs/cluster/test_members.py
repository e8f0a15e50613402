"""A cluster's slots, their names, and file transfer. Loads no Ray."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.jobs.cluster import transfer
from workbench.jobs.cluster.bridge import _environment
from workbench.jobs.cluster.members import Survey, name_members, plan_remote_slots
from workbench.jobs.cluster.transfer import Damaged, fetch
from workbench.jobs.devices import Gpu
from workbench.jobs.messages import Artifact, Rendered
from workbench.jobs.paths import JobFiles
from workbench.settings import Settings


def _node(node_id: str, host: str, *, gpus: int = 1, cpus: int = 4, **facts: Any) -> dict[str, Any]:
    return {
        "NodeID": node_id,
        "NodeName": "10.0.0.1",
        "NodeManagerAddress": "10.0.0.1",
        "NodeManagerHostname": host,
        "Alive": True,
        "Resources": {"GPU": gpus, "CPU": cpus},
        **facts,
    }


def _survey(*gpus: Gpu) -> Survey:
    return Survey("1", "A processor", 64 << 30, gpus)


def test_machines_are_named_by_host_name_or_by_configuration() -> None:
    nodes = [
        _node("aaaaaaaa", "tower"),
        _node("bbbbbbbb", "rack", NodeName="node b/7"),
        _node("cccccccc", "gone", Alive=False),
    ]
    assert [member.name for member in name_members(nodes)] == ["node-b-7", "tower"]


def test_a_machine_keeps_its_name_when_another_with_the_same_name_joins() -> None:
    (first,) = name_members([_node("bbbbbbbb", "tower")])
    both = [_node("aaaaaaaa", "tower"), _node("bbbbbbbb", "tower")]
    named = {m.node_id: m.name for m in name_members(both, {first.node_id: first.name})}
    assert named == {"bbbbbbbb": "tower", "aaaaaaaa": "tower-aaaaaa"}


def test_every_gpu_gives_the_configured_number_of_slots(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path, slots_per_gpu=2)
    gpus = [Gpu("GPU-a", 0, "H100", 80 << 30), Gpu("GPU-b", 1, "H100", 80 << 30)]
    members = name_members([_node("aaaaaaaa", "tower", gpus=2)])
    remote_slots = plan_remote_slots(members, {"aaaaaaaa": _survey(*gpus)}, settings)
    assert [remote_slot.slot.name for remote_slot in remote_slots] == [
        "tower/cuda:0", "tower/cuda:0#2", "tower/cuda:1", "tower/cuda:1#2",
    ]  # fmt: skip
    assert [remote_slot.slot.uuid for remote_slot in remote_slots] == [
        "GPU-a",
        "GPU-a",
        "GPU-b",
        "GPU-b",
    ]
    assert {remote_slot.readings.memory_total_bytes for remote_slot in remote_slots} == {80 << 30}
    assert {remote_slot.slot.host for remote_slot in remote_slots} == {"tower"}


def test_a_gpu_already_used_by_the_local_supervisor_is_not_used_twice(tmp_path: Path) -> None:
    gpus = [Gpu("GPU-a", 0, "H100"), Gpu("GPU-b", 1, "H100")]
    members = name_members([_node("aaaaaaaa", "tower", gpus=2)])
    remote_slots = plan_remote_slots(
        members,
        {"aaaaaaaa": _survey(*gpus)},
        Settings(outputs=tmp_path),
        ours=frozenset({"GPU-a"}),
    )
    assert [remote_slot.slot.name for remote_slot in remote_slots] == ["tower/cuda:1"]


def test_cpus_of_other_machines_give_slots_when_enabled(
    tmp_path: Path,
) -> None:
    members = name_members([_node("a" * 8, "home", gpus=0), _node("b" * 8, "away", gpus=0, cpus=2)])
    surveys = {"a" * 8: _survey(), "b" * 8: _survey()}
    assert plan_remote_slots(members, surveys, Settings(outputs=tmp_path)) == []
    settings = Settings(outputs=tmp_path, cluster_cpu_workers=3)
    remote_slots = plan_remote_slots(members, surveys, settings, home="a" * 8)
    assert [remote_slot.slot.name for remote_slot in remote_slots] == ["away/cpu:0", "away/cpu:1"]
    assert {remote_slot.slot.queues for remote_slot in remote_slots} == {("cpu", "slow")}


Chunk = Callable[[str, int, int], Awaitable[bytes]]


def _artifact(name: str, data: bytes, *, whole: bool = False) -> Artifact:
    return Artifact(name, len(data), hashlib.sha256(data).hexdigest(), data if whole else None)


def _files(tmp_path: Path) -> JobFiles:
    files = JobFiles(tmp_path / "job")
    files.attempt(2).folder.mkdir(parents=True)
    return files


def _from(data: bytes, faults: int = 0) -> Chunk:
    left = faults

    async def chunk(name: str, offset: int, length: int) -> bytes:
        nonlocal left
        assert name == "video.mp4"
        part = data[offset : offset + length]
        if left and offset == 0:
            left -= 1
            return bytes(len(part))
        return part

    return chunk


def _fetch(files: JobFiles, data: bytes, chunk: Chunk) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    artifacts = (_artifact("video.mp4", data), _artifact("recipe.json", b"{}", whole=True))
    rendered = Rendered("j", 2, 1.0, artifacts)
    asyncio.run(fetch(rendered, files, chunk, lambda here, total: told.append((here, total))))
    return told


def test_a_video_is_transferred_in_chunks_with_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 1_000)
    files, data = _files(tmp_path), bytes(range(256)) * 10
    told = _fetch(files, data, _from(data))
    assert files.attempt(2).video.read_bytes() == data
    assert files.attempt(2).recipe.read_bytes() == b"{}"
    assert told == [(1_000, 2_562), (2_000, 2_562), (2_560, 2_562)]


def test_a_video_damaged_in_transfer_is_fetched_again_once(tmp_path: Path) -> None:
    files, data = _files(tmp_path), b"a video" * 100
    _fetch(files, data, _from(data, faults=1))
    assert files.attempt(2).video.read_bytes() == data
    with pytest.raises(Damaged, match=r"video\.mp4"):
        _fetch(files, data, _from(data, faults=2))


def test_a_video_that_arrives_after_its_attempt_ended_creates_no_folder(tmp_path: Path) -> None:
    files, data = _files(tmp_path), b"a video"
    files.attempt(2).folder.rmdir()
    with pytest.raises(FileNotFoundError):
        _fetch(files, data, _from(data))
    assert not files.attempt(2).folder.exists()


def test_a_transferred_file_cannot_name_a_folder(tmp_path: Path) -> None:
    files = _files(tmp_path)
    rendered = Rendered("j", 2, 1.0, (_artifact("../video.mp4", b"elsewhere", whole=True),))
    with pytest.raises(Damaged, match="is not a file name"):
        asyncio.run(fetch(rendered, files, _from(b""), lambda *_: None))
    assert [path.name for path in files.folder.iterdir()] == [".attempt-2"]


@pytest.mark.parametrize(
    ("kind", "cpu_workers", "expected"),
    [("cpu", None, True), ("cuda", None, False), ("cuda", 1, False), ("cuda", 0, True)],
)
def test_the_remote_engines_key_is_sent_only_to_workers_of_that_engine(
    kind: str, cpu_workers: int | None, expected: bool, tmp_path: Path
) -> None:
    settings = Settings(
        outputs=tmp_path, remote_api_key="a key", language_api_key="other", cpu_workers=cpu_workers
    )
    sent = _environment(settings, kind=kind)
    assert ("a key" in sent.values()) is expected
    assert "other" not in sent.values()
