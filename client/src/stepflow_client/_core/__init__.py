"""Flows, runs, batches and events without I/O: generators that yield what is to be sent."""
