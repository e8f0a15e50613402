"""Random faults at random moments, by fixed seeds; ``make soak`` does the same for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak import Soak
from tests.jobs.shop import Shop


@pytest.mark.parametrize("seed", [11, 12])
def test_random_faults_break_no_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setenv("WORKBENCH_LEASES", str(tmp_path / "leases"))
    with Shop(tmp_path / "outputs", cpu_workers=2, max_attempts=3, lease_s=1.0) as shop:
        soak = Soak(shop, seed)
        assert soak.run(4.0) == []
        assert soak.asked
        assert soak.faults
