"""Figures: who and what stands, walks, drives and flies in a scene."""
