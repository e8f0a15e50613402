"""Figures: people, animals, vehicles and things of a scene."""
