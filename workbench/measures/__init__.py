"""Measures of finished videos: light, colour, motion, similarity, agreement with the prompt.

Knows frames and files; neither jobs nor prompts. ``scores`` names the measures and has no heavy
imports; ``clips`` computes them with OpenCV; ``agreement`` loads PyTorch.
``camera`` recovers the camera's path; ``transitions``, ``continuity`` and ``drift`` find breaks and
drift.
"""
