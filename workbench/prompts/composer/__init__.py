"""The built-in composer: reads free text into a scene; completes, writes, varies and tunes it.

Deterministic for a seed, offline, without a language model. Knows nothing of providers or sessions.
"""
