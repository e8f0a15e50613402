"""The code in docs/worlds.md runs in order."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.live_server import ROOT


def test_the_code_in_docs_worlds_runs_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "worlds.md").read_text("utf-8")
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    for block in blocks:
        exec(block, names)
    told = capsys.readouterr().out
    assert "w-80,jw-40" in told
    assert "Not read: 'past dog'." in told


def test_docs_worlds_names_every_exported_name() -> None:
    import workbench.control

    text = (ROOT / "docs" / "worlds.md").read_text("utf-8")
    named = re.findall(r"`(path_\w+|read_\w+|parse_\w+)`", text)
    assert "path_from_words" in named
    for name in named:
        assert name in workbench.control.__all__, name
