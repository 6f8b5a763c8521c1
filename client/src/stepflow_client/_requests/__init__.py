"""Requests: the endpoints, when one is sent again, and how long it may take."""
