"""``workbench run`` from a shell writes its results even if the ZIP fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.errors import WorkbenchError
from workbench.research import command


@pytest.mark.parametrize(
    "failure", [OSError(24, "Too many open files"), WorkbenchError("The disk is full.")]
)
def test_results_are_written_and_printed_even_if_the_zip_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failure: Exception,
) -> None:
    results = tmp_path / "results.json"

    class Report:
        def __init__(self, _started: Any) -> None:
            pass

        def write(self) -> list[Path]:
            results.write_text("{}")
            return [results]

        def zip(self) -> Path:
            assert results.exists()
            raise failure

    started = SimpleNamespace(follow=lambda _tell: None)
    monkeypatch.setattr(command, "start_run", lambda _given: started)
    monkeypatch.setattr(command, "Report", Report)
    assert command.run(["a dog"]) == 1
    told = capsys.readouterr()
    assert told.out == f"{results}\n"
    assert "The ZIP was not written" in told.err
