"""Defaults of this package, with their reasons."""

from typing import Final

from stepflow_api._version import VERSION

USER_AGENT: Final = f"stepflow-python/{VERSION}"
"""What a request says that it comes from, where nobody has chosen a name."""

USUAL_ACCEPT: Final = "application/json"
"""The `Accept` of a request whose operation documents no other media type."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Ports of URLs that name none, by scheme."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds for a connection to come about; a server in reach needs milliseconds."""

READ_TIMEOUT: Final = 330.0
"""Seconds without a byte of the answer: the server itself waits up to 300 s for a run to end."""

WRITE_TIMEOUT: Final = 60.0
"""Seconds without progress while a request is sent."""

POOL_TIMEOUT: Final = READ_TIMEOUT
"""Seconds for one of the connections to come free: each may wait for a run all that time."""

CONNECTIONS: Final = 100
"""Maximum number of concurrent async requests; each has a connection, and a process may have
1,024 files and sockets by default."""

SLOWEST: Final = 10_000
"""Bytes per second that a connection must move on average once the timeouts of its waits have
passed: slow links move more, and servers that send a byte now and then, less."""

TEXT_LIMIT: Final = 500
"""Characters of an error's body that its message shows."""

BODY_LIMIT: Final = 2 * 1024 * 1024
"""Bytes of a request body that servers up to 0.11 take; larger ones they cut off."""

PROBES: Final = {
    ("TCP_KEEPIDLE", "TCP_KEEPALIVE"): 30,
    ("TCP_KEEPINTVL",): 10,
    ("TCP_KEEPCNT",): 6,
}
"""TCP keepalive by socket option: seconds of silence before the first probe, less than NAT and load
balancers keep an idle connection; seconds between probes; and unanswered probes before the
connection is closed. A server that has disappeared is noticed after 90 s."""

WRITE_SIZE: Final = 256 * 1024
"""Bytes to hand to the system at a time: Windows takes any number at once, and reports no progress
within them."""

KEEP_ALIVE: Final = 5.0
"""Seconds that an idle connection is kept: servers and proxies that close theirs keep it longer."""

RESPONSE_LIMIT: Final = 256 * 1024 * 1024
"""Maximum size in bytes of a response body, decompressed, unless a client sets its own; 100,000
results of 2 KiB fit."""

HEADER_FIELDS_LIMIT: Final = 256
"""Maximum number of header fields of an answer; servers and proxies send about ten."""

ERROR_BODY_LIMIT: Final = 1024 * 1024
"""Maximum size in bytes of an error body that is searched for a message; of a larger one, the
beginning is quoted."""

EVENT_LIMIT: Final = 16 * 1024 * 1024
"""Maximum size in bytes of one server-sent event; usual ones are smaller than a kilobyte."""

UNKNOWN_VALUES_LIMIT: Final = 256
"""Maximum number of unknown values that an open enumeration keeps, and maximum length of one."""

PICTURE_LIMIT: Final = 1000
"""Steps up to which notebooks show a flow as a picture; its SVG then has less than 1 MB."""
