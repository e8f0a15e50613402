"""Reads a text once: into phrases with spans, and from these into a scene. Chooses and adds nothing."""
