"""The Jupyter server extension: the workbench over REST."""
