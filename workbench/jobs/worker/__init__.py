"""The processes that the supervisor starts: workers that render, the scorer that measures."""
