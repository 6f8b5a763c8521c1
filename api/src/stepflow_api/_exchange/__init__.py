"""Which server speaks: its version is detected, and its requests and responses are translated.

`exchange` holds the generator that every request goes through, `driver` performs what it yields,
and `dialects` has the translations for servers of other versions.
"""
