"""`python -m stepflow_client.cli`."""

from stepflow_client.cli import main

main()
