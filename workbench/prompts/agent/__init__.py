"""The conversation with a language model that works with tools: the same actions as the rules use."""
