"""How servers of other versions are spoken to: in their own requests and answers.

Everything else in this package speaks the API of the stored spec. A dialect turns one request of it
into what the server at hand takes, and what comes back into the answer that the spec describes. It
does no I/O: its translations are generators that yield requests and are sent the answers to them.

`base` says what a dialect is, `versions` which one a server speaks; `older` and `transcoded`
are the dialects, each imported once a server speaks it.
"""
