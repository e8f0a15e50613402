"""Whether a video shows what its scene asks for: questions by field, and their answers.

Knows scenes and video files; neither language models nor jobs. ``questions`` come from the scene,
``contact_sheet`` is what a vision model looks at, ``asking`` is what it is asked, ``measured`` is
what pixels alone answer, ``model`` is what came of it.
"""
