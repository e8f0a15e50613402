"""Typed actions on a session. Knows scenes and rendering; nothing of prompts or jobs."""
