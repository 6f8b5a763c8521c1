"""Times imports of stepflow_api beside what they cannot do without, each in a fresh interpreter."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

CASES = {
    "bare Python": "pass",
    "import stepflow_api": "import stepflow_api",
    "import pydantic and httpx": "from pydantic import BaseModel; import httpx",
    "import and make one model": (
        "from stepflow_api.models import CreateRunRequest;"
        "CreateRunRequest(flow_id='f' * 64, input={'a': 1})"
    ),
}
RATIOS = (
    ("import stepflow_api", "bare Python", 1.1),
    ("import and make one model", "import pydantic and httpx", 1.2),
)
ROUNDS = 15


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Runs every case once a round, in turn.

    Args:
        rounds: How many rounds count; one more before them fills the caches.

    Returns:
        Wall-clock seconds of each case by round.
    """
    times: dict[str, list[float]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as cache:
        # Under Bazel the sources lie in folders that hold no byte code, unlike installed packages.
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONPYCACHEPREFIX": cache,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        for count in range(rounds + 1):
            for name, code in CASES.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], env=environment, check=True)
                if count:
                    times[name].append(time.perf_counter() - start)
    return times


def main() -> None:
    """Prints one JSON object a line: a ratio's name, value, spread and target."""
    times = measure()
    for name, base, target in RATIOS:
        ratios = [a / b for a, b in zip(times[name], times[base], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        print(
            json.dumps(
                {
                    "case": f"{name} / {base}",
                    "value": statistics.median(ratios),
                    "spread": [low, high],
                    "target": target,
                }
            )
        )


if __name__ == "__main__":
    main()
