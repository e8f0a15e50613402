"""Edits a prompt so that it follows a change of its scene."""
