"""Writes prompts with a language model and checks what it answers."""
