"""Tests of how requests are understood."""
