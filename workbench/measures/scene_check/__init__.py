"""Checks whether a video shows its scene: questions by field, and their answers.

Knows scenes and video files; neither language models nor jobs. ``questions`` come from the scene;
``contact_sheet`` and ``small_video`` are the input of a vision model, ``asking`` its messages and
answers; ``measured`` answers by pixels alone; ``model`` is the result.
"""
