"""Defaults of this package, with their reasons."""

from typing import Final

DEFAULT_URL: Final = "http://localhost:7840"
"""Where a server listens that was started with its own defaults."""

URL_VARIABLE: Final = "STEPFLOW_URL"
"""Environment variable that names the server where the program does not."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds for a connection to come about; a server in reach needs milliseconds."""

REQUEST_TIMEOUT: Final = 60.0
"""Seconds for one request; only waiting for a run takes longer, and has its own timeout."""

LONG_POLL_SECONDS: Final = 1
"""Seconds that one request asks the server to wait for a run. The server notices the end of a run
that it executes itself at once; that of another orchestrator's run, only when the wait ends."""

LONG_POLL_GRACE: Final = 10.0
"""Seconds that an answer may come late before its connection counts as dead."""

LATE_SECONDS: Final = 1.0
"""Seconds for one look once a deadline has passed: `result(timeout=0)` asks and does not wait."""

RECONNECT_SECONDS: Final = 300.0
"""Seconds that a wait without a deadline goes on while no server answers: a restart takes less."""

MAX_RETRIES: Final = 4
"""Tries after the first; with the delays below they span a few seconds."""

FIRST_DELAY: Final = 0.1
"""Upper bound in seconds of the first delay between tries; it doubles from try to try."""

LAST_DELAY: Final = 5.0
"""Upper bound in seconds of every delay."""

RETRY_AFTER_LIMIT: Final = 60.0
"""Seconds of a `Retry-After` that are honoured: more would look like a hang."""

FIRST_PROGRESS_SECONDS: Final = 0.01
"""Seconds between the first two looks at a batch whose progress is watched, doubled from then on:
a batch that takes no time is not made to take half a second."""

PROGRESS_SECONDS: Final = 0.5
"""Upper bound in seconds between two looks at a batch whose progress is watched."""

EVENTS_SILENCE_SECONDS: Final = 5.0
"""Seconds without a whole event before the run is looked at and its stream is opened anew: a dead
connection and a cancelled run are noticed so soon. A server says that it lives every 15 s alone."""

EVENTS_DRAIN_SECONDS: Final = 1.0
"""Seconds for the events of a run that was ended with a step going on, which has no last event."""

PAGE_SIZE: Final = 100
"""Runs asked for at a time."""

FLOW_CACHE_SIZE: Final = 1024
"""Flows whose ids a client keeps; each takes about 200 bytes."""

YAML_VALUES: Final = 1_000_000
"""Values that a YAML file may hold: no server takes a flow of so many, and aliases make more."""
