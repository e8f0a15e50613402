"""Renders one video from its own client and writes the outcome to the file RESULT.

``CLIENT_SETS`` holds variables that the client sets after its start, as a notebook cell may.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.jobs.shop import request
from workbench.errors import WorkbenchError
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

LIMIT_S = 300.0


def main() -> None:
    os.environ.update(json.loads(os.environ.get("CLIENT_SETS", "{}")))
    manager = JobManager(Settings())
    try:
        asked = manager.submit(request("a dog runs \N{DOG}"))
        (job,) = manager.wait([asked.job_id], LIMIT_S)
        told = {"state": job.state, "told": job.error or job.message}
    except (WorkbenchError, TimeoutError) as error:
        told = {"state": "refused", "told": str(error)}
    Path(os.environ["RESULT"]).write_text(json.dumps(told), "utf-8")
    manager.close()


if __name__ == "__main__":
    main()
