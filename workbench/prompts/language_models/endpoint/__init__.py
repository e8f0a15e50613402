"""Speaks chat completions with an endpoint: structured answers, streams, tools, pictures, time limits."""
