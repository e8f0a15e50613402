"""The workbench as a person meets it: real JupyterLab, real Voilà, a headless Chromium."""
