"""Translations for servers of other versions.

Everything else in this package speaks the API of the stored spec. A dialect translates a request of
it for the server, and the response back. It does no I/O: its translations are generators that yield
requests and are sent the answers.

`base` says what a dialect is, `versions` which one a server speaks; `older` and `transcoded`
are the dialects, each imported once a server speaks it.
"""
