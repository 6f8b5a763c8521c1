"""`python -m stepflow_client`, the same as the command."""

from stepflow_client.cli import main

main()
