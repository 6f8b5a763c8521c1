"""Defaults of this package, with their reasons."""

from typing import Final

DEFAULT_URL: Final = "http://localhost:7840"
"""URL of a server with default settings."""

URL_VARIABLE: Final = "STEPFLOW_URL"
"""Environment variable with the URL of the server, if the program sets none."""

TOKEN_VARIABLE: Final = "STEPFLOW_TOKEN"
"""Environment variable with the token of the command line, and of handles that were unpickled."""

FIRST_REST: Final = 0.5
"""Seconds for which a server that failed is avoided, if there are others; doubled each time."""

LAST_REST: Final = 30.0
"""Maximum seconds for which a server that failed is avoided."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds to establish a connection; a reachable server needs milliseconds."""

REQUEST_TIMEOUT: Final = 60.0
"""Seconds for one request; only waiting for a run may take longer, with its own timeout."""

LONG_POLL_SECONDS: Final = 1
"""Seconds for which one request asks the server to wait for a run. The server notices at once that
a run has finished that it executes itself, but another orchestrator's only after the wait."""

LONG_POLL_GRACE: Final = 10.0
"""Seconds of delay after which the connection of a response counts as dead."""

LATE_SECONDS: Final = 1.0
"""Seconds for one poll after a deadline has passed: `result(timeout=0)` polls without waiting."""

RECONNECT_SECONDS: Final = 300.0
"""Seconds without a response after which a wait without a deadline fails: a restart takes less."""

MAX_RETRIES: Final = 4
"""Attempts after the first; with the delays below they take a few seconds."""

FIRST_DELAY: Final = 0.1
"""Maximum first delay between attempts, in seconds; it doubles with each attempt."""

LAST_DELAY: Final = 5.0
"""Maximum delay, in seconds."""

LONGEST_DELAY: Final = 1e8
"""Maximum delay of any policy, in seconds: systems refuse to sleep for centuries."""

RETRY_AFTER_LIMIT: Final = 60.0
"""Maximum seconds of a `Retry-After` that are honoured: more would look like a hang."""

FIRST_PROGRESS_SECONDS: Final = 0.01
"""Seconds between the first two polls of a batch, doubled from then on: a fast batch does not take
half a second."""

PROGRESS_SECONDS: Final = 0.5
"""Maximum seconds between two polls of a batch."""

EVENTS_SILENCE_SECONDS: Final = 5.0
"""Seconds without a complete event after which the run is polled and its stream reopened, to notice
a dead connection or a cancelled run soon. A server's keep-alive comes only every 15 s."""

EVENTS_DRAIN_SECONDS: Final = 1.0
"""Seconds for the events of a run that was cancelled during a step, which has no last event."""

TIMELINE_ITEMS: Final = 20
"""Maximum number of items of a timeline or report: more are hard to read."""

KEY_LENGTH: Final = 200
"""Maximum length of an idempotency key, which is part of a URL."""

CREATION_SECONDS: Final = 2.0
"""Seconds after which a request whose response was lost creates no run any more; a server needs
milliseconds, a busy one with a database on a slow disk some tenths."""

PAGE_SIZE: Final = 100
"""Runs per page."""

FLOW_CACHE_SIZE: Final = 1024
"""Flows whose ids a client remembers; each takes about 200 bytes."""

YAML_VALUES: Final = 1_000_000
"""Maximum number of values in a YAML file: no server accepts so large a flow."""
