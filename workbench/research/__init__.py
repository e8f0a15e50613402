"""Research runs: experiments, scores, rankings, prompt files and unattended runs.

Stands on the journey's rooms and knows neither widgets nor the server. What measures a video knows
frames alone, so that the journey can ask for scores.
"""
