"""`python -m stepflow_runtime.cli`."""

from stepflow_runtime.cli import main

main()
