"""The conversation as an agent: a language model with the rules' actions as tools."""
