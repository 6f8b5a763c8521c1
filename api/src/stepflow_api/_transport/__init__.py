"""How bytes move: requests to a server, and its responses back.

`transport` chooses between the SDK's own connections (`sync_connections` and `async_connections`,
which share `http11`) and `httpx_transport`.
"""
