"""The workbench in real JupyterLab and real Voilà, driven by headless Chromium."""
