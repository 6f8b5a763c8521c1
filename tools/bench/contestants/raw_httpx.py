"""httpx alone."""

from __future__ import annotations

import httpx

from tools.bench.contestants.httpx_cases import httpx_cases
from tools.bench.worker import serve

if __name__ == "__main__":
    serve(httpx_cases(httpx), packages=["httpx", "httpcore", "anyio"])
