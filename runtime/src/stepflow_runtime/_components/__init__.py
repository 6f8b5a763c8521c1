"""Functions of this program that flows call as components.

The functions run in threads of this process. A small worker of the runtime's own serves them: over
JSON-RPC for servers up to 0.11, over the gRPC services of later ones. The worker of the package
stepflow-py is not used: it runs only in a main thread, calls functions on its event loop, so that
one that blocks stops all others and its heartbeats, and needs another version of itself, with 40 MB
of packages, for each kind of server.
"""
