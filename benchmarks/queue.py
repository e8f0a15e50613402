"""The job manager's figures: claims, starts, pushes, recoveries, and a very full index.

Run with ``python -m benchmarks.queue``; ``--quick`` uses a tenth of the sizes.
"""

from __future__ import annotations

import argparse

from benchmarks.claims import measure_claims
from benchmarks.full_index import measure_full_index
from benchmarks.latency import (
    measure_cold_starts,
    measure_pushes,
    measure_recoveries,
    measure_starts,
)
from benchmarks.report import print_report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    part = 10 if parser.parse_args().quick else 1
    print_report("queue: claims", measure_claims(20_000 // part))
    print_report("queue: latencies", [*measure_starts(100 // part), *measure_pushes(100 // part)])
    print_report("queue: cold starts", measure_cold_starts(6 // min(part, 3)))
    print_report("queue: recoveries", measure_recoveries(10 // min(part, 3)))
    print_report("queue: a full index", measure_full_index(100_000 // part))


if __name__ == "__main__":
    main()
