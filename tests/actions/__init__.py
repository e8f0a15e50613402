"""Tests of the typed actions."""
