"""Requests in plain words: rules as data, slots that guard, candidates that compete."""
