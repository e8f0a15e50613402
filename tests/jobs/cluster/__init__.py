"""Tests of rendering on a real Ray cluster."""
