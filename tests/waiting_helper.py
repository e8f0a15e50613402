"""A helper process that prints a line and waits."""

import time

print("waiting", flush=True)  # noqa: T201  what the test waits for
time.sleep(1_000)
