"""REST and the widgets show a cluster and its devices."""

from __future__ import annotations

from typing import Any

from server_extension.presentation import cluster_object, device_object
from workbench.jobs.client.inventory import inventory
from workbench.jobs.cluster.status import ClusterState, ClusterStatus, Member, RemoteSlot
from workbench.jobs.devices import Nvml, Readings, Slot
from workbench.jobs.store.ledger import DeviceRow
from workbench.settings import Settings
from workbench.widgets.presentation import cluster_view, device_view

SLOT = Slot("rack/cuda:1", "cuda", "GPU-b", 1, "NVIDIA H100", ("gpu",), "rack")
STANDING = ClusterStatus(
    "tower:6379",
    ClusterState.JOINED,
    since=1_790_000_000.0,
    members=(
        Member("1", "rack", "10.0.0.2", 2.0, 32.0),
        Member("2", "attic", "10.0.0.3", 1.0, 8.0, "the workbench is not installed there"),
    ),
    remote_slots=(RemoteSlot(SLOT, "1", Readings(80 << 30, 2 << 30, 97.0, 61.0, 640.0)),),
)


def _devices(status: ClusterStatus, **said: DeviceRow) -> dict[str, Any]:
    settings = Settings(cpu_workers=1, cluster="tower:6379")
    found = inventory(settings, Nvml(), said, frozenset({"attic"}), status)
    return {device.name: device for device in found}


def test_a_cluster_gpu_is_listed_with_its_host_and_readings() -> None:
    row = DeviceRow("rack/cuda:1", "busy", "", "j_1")
    device = _devices(STANDING, **{"rack/cuda:1": row})["rack/cuda:1"]
    told = device_object(device)
    assert (told.host, told.gpu_id, told.label, told.state) == ("rack", 1, "NVIDIA H100", "busy")
    assert (told.utilization_percent, told.temperature_c, told.job_id) == (97.0, 61.0, "j_1")
    assert device_view(device)["memory_total"] == 85.9
    assert device_object(_devices(STANDING)["cpu:0"]).host is None


def test_a_machine_that_left_is_shown_as_lost() -> None:
    row = DeviceRow("shed/cuda:0", "lost", "the device is gone")
    device = device_object(_devices(STANDING, **{"shed/cuda:0": row})["shed/cuda:0"])
    assert (device.kind, device.host, device.state) == ("cuda", "shed", "lost")
    assert device.detail == "the device is gone"


def test_rest_lists_a_clusters_machines_and_their_problems() -> None:
    told = cluster_object(STANDING)
    assert told is not None
    assert (told.address, told.state) == ("tower:6379", "joined")
    assert [machine.name for machine in told.machines] == ["rack", "attic"]
    assert told.machines[1].problem == "the workbench is not installed there"
    assert cluster_object(None) is None


def test_the_widgets_show_an_unreachable_cluster_with_the_reason() -> None:
    lost = STANDING.become(ClusterState.UNREACHABLE, "nothing answers at tower:6379")
    view = cluster_view(lost)
    assert (view["name"], view["state"]) == ("cluster", "unreachable")
    assert view["detail"] == "nothing answers at tower:6379"
    assert set(view) == set(device_view(_devices(lost)["cpu:0"]))
    assert set(_devices(lost)) == {"cpu:0"}
