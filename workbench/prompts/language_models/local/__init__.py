"""Runs a language model on this machine: one server process that all clients share."""
