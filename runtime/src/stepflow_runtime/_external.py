"""A server that runs elsewhere, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from stepflow_api.support import Hidden, default_httpx_library, environment_proxy, split_address
from stepflow_client import RetryPolicy, StepflowClient, SyncStepflowClient


class ExternalServer:
    """A server that runs elsewhere, with the methods of `StepflowRuntime`."""

    def __init__(self, url: str) -> None:
        address = Hidden(url)
        self.url = url.rstrip("/")
        del url
        self.client = client_for_any_loop([address.value])
        self.sync_client = SyncStepflowClient(address.value)
        self.run = self.client.run
        self.submit = self.client.submit
        self.run_batch = self.client.run_batch
        self.submit_batch = self.client.submit_batch
        self.validate = self.client.validate

    def stop(self) -> None:
        """Close the client; the server keeps running."""
        self.sync_client.close()


def client_for_any_loop(urls: Sequence[str], retry: RetryPolicy | None = None) -> StepflowClient:
    """Return a client that works in several event loops, one after another, without being closed.

    Each connection is closed after its request, in the loop that opened it. All URLs use the proxy
    and TLS of the first one.
    """
    addresses = [Hidden(url) for url in urls]
    del urls
    library = default_httpx_library()
    limits = library.Limits(max_keepalive_connections=0)
    # Reading the certificates takes longer than a test.
    verify = not addresses[0].value.startswith("http:")
    # The client adds no proxy to a transport that is passed to it.
    proxy = environment_proxy(split_address(addresses[0])[0])
    transport = library.AsyncHTTPTransport(verify=verify, limits=limits, proxy=proxy)
    return StepflowClient([one.value for one in addresses], retry=retry, transport=transport)
