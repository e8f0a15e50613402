"""The shared job manager: one index and one supervisor per outputs/, one worker per device."""
