"""One real server shared by tests that only send requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live_server import LiveServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with its own outputs/."""
    with LiveServer(tmp_path_factory.mktemp("rest") / "outputs") as live:
        yield live
