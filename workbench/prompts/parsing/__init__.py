"""A small learned parser of requests: which wishes a request holds, and which words say what of each.

Knows words and the prompt that they are about; no scenes, no actions.
"""
