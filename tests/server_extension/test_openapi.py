"""The served OpenAPI document is accurate: schemathesis generates requests from it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_extension.routes import API_ROUTES
from tests.live_server import TOKEN, LiveServer

EXAMPLES = 10
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


def _document(server: LiveServer) -> dict[str, Any]:
    document: dict[str, Any] = server.get("/api/workbench/openapi.json").json()
    return document


def test_every_route_is_described(server: LiveServer) -> None:
    document = _document(server)
    assert document["openapi"].startswith("3.1")
    assert {path for path, _ in API_ROUTES} < set(document["paths"])
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_the_described_limits_are_enforced(server: LiveServer) -> None:
    schemas = _document(server)["components"]["schemas"]
    assert schemas["EnhanceRequest"]["properties"]["rough_prompt"]["maxLength"] == 4_000
    assert schemas["BatchRequest"]["properties"]["prompts"]["maxItems"] == 64


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A separate server, as requests may change its language model; it draws almost nothing."""
    environment = {
        "WORKBENCH_ENGINES": '{"animatic": "tests.server_extension.brief:BriefEngine"}',
        "WORKBENCH_LANGUAGE_TIMEOUT_S": "2",
        "WORKBENCH_LANGUAGE_RETRIES": "0",
        "WORKBENCH_MAX_FRAMES": "81",
        "WORKBENCH_MAX_PIXELS": str(832 * 480),
        "WORKBENCH_SCORES": "false",
    }
    with LiveServer(tmp_path / "outputs", environment=environment) as live:
        yield live


@pytest.mark.timeout(3_600)  # thousands of requests, and the renders that some of them ask for
def test_no_request_allowed_by_the_document_makes_the_server_fail(
    own_server: LiveServer, tmp_path: Path
) -> None:
    server = own_server
    run = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"), "run",
            f"{server.url}/api/workbench/openapi.json",
            *("--header", f"Authorization: token {TOKEN}"),
            *("--checks", CHECKS),
            *("--max-examples", str(EXAMPLES), "--seed", "1", "--phases", "examples,coverage,fuzzing"),
            *("--request-timeout", "120"),
        ],
        capture_output=True, text=True, timeout=3_000, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-12_000:]
