"""Research runs: experiments, scores, rankings, prompt files and unattended runs.

Builds on the journey; knows neither widgets nor the server.
"""
