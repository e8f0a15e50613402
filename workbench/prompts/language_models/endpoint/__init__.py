"""A chat-completions client: structured answers, streams, tools, pictures, time limits."""
