"""The workbench in a notebook: widgets over Studio. Knows nothing of the server extension."""
