"""Defaults of this package, with their reasons."""

from typing import Final

BINARY_VARIABLE: Final = "STEPFLOW_SERVER_BINARY"
"""Environment variable that names the server's binary where the program does not."""

STARTUP_TIMEOUT: Final = 30.0
"""Seconds until a server counts as failed; an idle machine needs 0.03, a cold and busy one some."""

SHUTDOWN_TIMEOUT: Final = 5.0
"""Time for a server to exit after SIGTERM, in seconds; an idle one needs 0.01."""

MAX_RESTARTS: Final = 5
"""Restarts in a row; with the delays below they span a few seconds."""

FIRST_RESTART_DELAY: Final = 0.1
"""Seconds before the second restart in a row, doubled from then on; the first comes at once."""

LAST_RESTART_DELAY: Final = 5.0
"""Upper bound in seconds of every delay."""

STEADY_SECONDS: Final = 60.0
"""Seconds after which a server counts as healthy again: the next crash is the first in a row."""

CLIENT_RETRIES: Final = 8
"""Tries of the runtime's clients after the first; they span the delays between restarts."""

KEPT_LINES: Final = 1000
"""Lines of the server's log that are kept."""

KEPT_BYTES: Final = 16 << 20
"""Upper bound in bytes of the lines that are kept."""

LONGEST_LINE: Final = 1 << 20
"""Bytes of a line of the server's output; the rest of a longer one is dropped."""

SUMMARY_LENGTH: Final = 4000
"""Characters of the server's output in an error message."""

ERROR_LINES: Final = 20
"""Lines of the server's log that an error carries."""

CONNECT_RETRY_SECONDS: Final = 0.001
"""Seconds between two tries to connect, in the moment between a server's port line and its start
to listen."""

TAKES_RUNS_SECONDS: Final = 2.0
"""Maximum time in seconds to wait for the log line of a server that can execute runs. It comes
within milliseconds; a later version may word it differently."""

OUTPUT_QUIET_SECONDS: Final = 0.05
"""Seconds without output after which the output of a server that has exited counts as complete, if
a worker in another session keeps it open."""

OUTPUT_END_SECONDS: Final = 10.0
"""Maximum time in seconds to wait for the end of a server's output after its exit: only a worker in
another session keeps it open longer than the guard needs."""

SHELL: Final = "/bin/sh"
"""The POSIX shell that starts and guards the server."""

GUARD_RETRY_SECONDS: Final = 0.2
"""Seconds before a guard is replaced again; the first replacement starts at once."""

ORCHESTRATOR_ID: Final = "stepflow-runtime"
"""The server's name for itself in a data_dir: the same name takes its runs up again at once."""

SERVER_LOGGER: Final = "stepflow_runtime.server"
"""The logger that the server's lines go to where the program names none."""

WORKER_LOGGER: Final = "stepflow_runtime.worker"
"""The logger for the output of workers."""

COMPONENT_LOGGER: Final = "stepflow_runtime.components"
"""The logger for exceptions that components raise."""

LEASE_SECONDS: Final = 365 * 24 * 3600
"""Seconds for which a server of a cluster owns a run. A server renews no leases if it may not take
over runs of others, and those that may (0.13) also take runs that are just being created, execute
their steps twice and fail some of them. So each run stays with the server of its name, which is
started again, or a stand-in of that name."""

TAKEOVER_SECONDS: Final = 2.0
"""Seconds after which a stand-in resumes the runs of a server that was killed."""

CLUSTER_SHUTDOWN_TIMEOUT: Final = 2.0
"""Seconds that a server of a cluster gets to exit: it answers the requests in flight in
milliseconds, and its runs are resumed by another one."""

ETCD_TIMEOUT: Final = 5.0
"""Seconds for a response of etcd."""

ETCD_POLL_SECONDS: Final = 0.02
"""Seconds between two tries to reach an etcd that is starting; it needs 0.3."""

ETCD_RESTART_SECONDS: Final = 1.0
"""Seconds before an etcd that cannot be started is tried again."""
