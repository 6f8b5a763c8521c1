"""httpx2 alone."""

from __future__ import annotations

import httpx2

from tools.bench.contestants.httpx_cases import httpx_cases
from tools.bench.worker import serve

if __name__ == "__main__":
    serve(httpx_cases(httpx2), packages=["httpx2", "httpcore2", "anyio"])
