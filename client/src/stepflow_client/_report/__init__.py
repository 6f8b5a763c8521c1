"""Timelines and reports of runs as text and HTML."""
