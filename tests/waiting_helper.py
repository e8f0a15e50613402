"""A helper process that says that it runs, and waits."""

import time

print("waiting", flush=True)  # noqa: T201  what the test waits for
time.sleep(1_000)
