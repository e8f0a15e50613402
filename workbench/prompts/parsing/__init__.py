"""A small trained parser of requests: finds the intents of a request and the slots of each.

Knows the request and the prompt it is about; nothing of scenes or actions.
"""
