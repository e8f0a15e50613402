"""Tests of the job manager, with real processes, signals and files."""
