"""Actions: what can be asked of a session, typed. Knows scenes and rendering; no prompts, no jobs."""
