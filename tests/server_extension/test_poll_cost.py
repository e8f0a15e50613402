"""What a poll does not pay for: debug records, the access log, other routes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from server_extension.extension import WorkbenchExtension
from server_extension.handlers.status import BatchStatusHandler, StatusHandler, without_polls
from server_extension.log_records import drop_unseen_records


@pytest.fixture(scope="module", params=["/", "/user/ada/"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A server with the workbench in this process, at two base URLs; it serves nothing."""
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("WORKBENCH_OUTPUTS", str(folder / "outputs"))
        patched.setenv("JUPYTER_CONFIG_DIR", str(folder / "config"))
        arguments = [
            f"--ServerApp.base_url={request.param}",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.port=0",
            "--ServerApp.allow_root=True",
        ]
        extension: Any = WorkbenchExtension
        server = extension.initialize_server(argv=arguments, load_other_extensions=False)
        yield server
        server.http_server.stop()
        ServerApp.clear_instance()


def _get(path: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(
        start_line=line, headers=HTTPHeaders({"Host": "localhost"}), connection=None
    )


def test_polls_are_routed_before_all_other_requests(server: Any) -> None:
    first = server.web_app.default_router.rules[:2]
    assert {rule.target for rule in first} == {StatusHandler, BatchStatusHandler}
    for path, handler in (
        ("api/video/status/j_1", StatusHandler),
        ("api/video/batch_status/b_1", BatchStatusHandler),
    ):
        request = _get(f"{server.base_url}{path}")
        found = [rule for rule in first if rule.matcher.match(request) is not None]
        assert [rule.target for rule in found] == [handler]
    for path in ("api/video/status/j_1/more", "api/video/status/", "x/api/video/status/j_1"):
        request = _get(f"{server.base_url}{path}")
        assert all(rule.matcher.match(request) is None for rule in first)


def test_a_server_makes_no_records_that_it_does_not_show(server: Any) -> None:
    assert not server.log.isEnabledFor(logging.DEBUG)
    assert server.log.isEnabledFor(server.log_level)


def test_the_servers_access_log_leaves_polls_out(server: Any) -> None:
    assert server.web_app.settings["log_function"].__module__ == without_polls.__module__


def _logger(*levels: int) -> logging.Logger:
    """Return a logger that takes every level, as Jupyter's does, with handlers that do not."""
    logger = logging.Logger("polls", logging.DEBUG)  # noqa: LOG001  known to no other test
    for level in levels:
        handler = logging.StreamHandler()
        handler.setLevel(level)
        logger.addHandler(handler)
    return logger


def test_records_that_no_handler_shows_are_not_made() -> None:
    logger = _logger(logging.WARNING, logging.INFO)
    drop_unseen_records(logger)
    assert not logger.isEnabledFor(logging.DEBUG)
    assert logger.isEnabledFor(logging.INFO)


def test_debug_records_are_made_for_a_handler_that_shows_them() -> None:
    logger = _logger(logging.WARNING, logging.DEBUG)
    drop_unseen_records(logging.LoggerAdapter(logger))
    assert logger.isEnabledFor(logging.DEBUG)


def test_debug_records_are_made_for_a_parents_handler_that_shows_them() -> None:
    logger = _logger(logging.WARNING)
    logger.parent = _logger(logging.DEBUG)
    drop_unseen_records(logger)
    assert logger.isEnabledFor(logging.DEBUG)
