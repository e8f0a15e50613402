"""Progress is sent at a pace that a screen can show, and the newest is never lost."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from workbench.jobs.channel import Channel
from workbench.jobs.messages import LineMessage, Reported
from workbench.jobs.worker.reports import Reports


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Both ends of a worker's channel."""
    one, other = map(Channel, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def _report(step: int) -> Reported:
    return Reported("j_1", 1, "drawing", step, 10)


def _steps(messages: list[LineMessage] | None) -> list[int]:
    return [message.step for message in messages or [] if isinstance(message, Reported)]


def test_of_reports_in_quick_succession_the_first_and_the_newest_are_sent(
    ends: tuple[Channel, Channel],
) -> None:
    worker, supervisor = ends
    reports = Reports(worker, clock=lambda: 1_000.0)
    for step in range(5):
        reports.add(_report(step))
    assert _steps(supervisor.receive()) == [0]
    reports.flush()
    reports.flush()
    assert _steps(supervisor.receive()) == [4]


def test_reports_with_time_between_them_are_all_sent(ends: tuple[Channel, Channel]) -> None:
    worker, supervisor = ends
    now = [1_000.0]
    reports = Reports(worker, clock=lambda: now[0])
    for step in range(3):
        reports.add(_report(step))
        now[0] += 1
    assert _steps(supervisor.receive()) == [0, 1, 2]


def test_what_waits_is_dropped_when_its_render_has_ended(ends: tuple[Channel, Channel]) -> None:
    worker, supervisor = ends
    reports = Reports(worker, clock=lambda: 1_000.0)
    reports.add(_report(0))
    reports.add(_report(1))
    reports.drop()
    reports.flush()
    assert _steps(supervisor.receive()) == [0]
