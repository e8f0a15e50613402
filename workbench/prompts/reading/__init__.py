"""Reads a text into phrases with spans, and these into a scene. Adds nothing of its own."""
