"""What can be measured on a finished video: light, colour, motion, likeness, agreement with its prompt.

Knows frames and files; neither jobs nor prompts, so that a worker may use it. ``scores`` names the
measures and loads nothing; ``clips`` takes them and loads OpenCV; ``agreement`` loads PyTorch.
"""
