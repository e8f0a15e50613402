"""Rendering: turns a render request into frames and an mp4. Knows nothing of jobs or prompts."""
