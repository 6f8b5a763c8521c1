"""The environments that the tests of the packages run in, besides the one that is locked for all else."""

load("//third_party:requirements.bzl", "whl_requirement")
load("//tools/wheel:installed.bzl", "installed_test")

def _environment(
        packages = "stepflow_pip",
        pydantic = None,
        server = "stepflow_orchestrator",
        python = "python3.11",
        always = False):
    """Describes an environment.

    Args:
        packages: the hub of its packages.
        pydantic: the hub of its pydantic, if it is another one.
        server: the hub of its stepflow-orchestrator.
        python: its Python.
        always: whether `bazel test //...` runs its tests, but for the long ones; all others are run as
            //compat/environments.
    """
    return struct(
        always = always,
        hubs = {
            "pydantic": pydantic or packages,
            "stepflow-orchestrator": server,
        },
        packages = packages,
        python = python,
    )

# By the beginning of a test's name.
ENVIRONMENTS = {
    # The oldest versions that pyproject.toml allows.
    "lowest": _environment("stepflow_pip_lowest", always = True),
    "pydantic_2.8": _environment(pydantic = "stepflow_pydantic_2_8"),
    "pydantic_2.10": _environment(pydantic = "stepflow_pydantic_2_10"),
    "pydantic_2.11": _environment(pydantic = "stepflow_pydantic_2_11"),
    "pydantic_2.12": _environment(pydantic = "stepflow_pydantic_2_12"),
    "pydantic_2.13": _environment(pydantic = "stepflow_pydantic_2_13"),
    "python_3.13": _environment(
        "stepflow_pip_python_3_13",
        server = "stepflow_server_python_3_13",
        python = "python3.13",
    ),
    "python_3.14": _environment(
        "stepflow_pip_python_3_14",
        server = "stepflow_server_python_3_14",
        python = "python3.14",
        always = True,
    ),
    "python_3.14_pydantic_2.12": _environment(
        "stepflow_pip_python_3_14",
        pydantic = "stepflow_pydantic_2_12_python_3_14",
        server = "stepflow_server_python_3_14",
        python = "python3.14",
    ),
}

# PyYAML, which stepflow-client needs, has no wheel for Python 3.15 yet.
API_ENVIRONMENTS = ENVIRONMENTS | {
    "python_3.15": _environment("stepflow_pip_python_3_15", python = "python3.15"),
}

def environment_tests(
        srcs,
        install,
        wheels,
        needed,
        data = [],
        readme_srcs = [],
        readme_data = [],
        long = [],
        environments = ENVIRONMENTS,
        shard_count = None,
        **kwargs):
    """Runs tests of a package, as installed_test does, in each environment.

    Args:
        srcs: test files of `<environment>_test`, and what they import from this repository.
        install: what to install besides pytest.
        wheels: the wheels of this repository; those without a README, since the tests take long.
        needed: the names of all other packages that `install` and the tests need.
        data: files that the tests read, and programs that they run.
        readme_srcs: the same as `srcs` for `<environment>_readme_test`, if a changed README is not to run all tests
            again.
        readme_data: the READMEs, and what their tests need besides `data`.
        long: those files of `srcs` that `<environment>_long_test` runs instead, which only //compat/environments
            names: each takes minutes, and what it tests is hardly ever different from environment to environment.
        environments: the environments, by name.
        shard_count: of `<environment>_test`.
        **kwargs: passed on to installed_test: env, size, ...
    """
    helpers = [src for src in srcs if not src.rpartition("/")[2].startswith("test_")]
    short = [src for src in srcs if src not in long]
    for name, environment, tests, read, shards in [
        each
        for name, environment in environments.items()
        for each in [
            (name + "_test", environment, short, data, shard_count),
            (name + "_long_test", environment, helpers + long if long else [], data, 2),
            (name + "_readme_test", environment, readme_srcs, data + readme_data, None),
        ]
        if each[2]
    ]:
        installed_test(
            name = name,
            srcs = tests,
            data = read,
            install = install + ["pytest"],
            wheels = wheels + [
                whl_requirement(one, hub = environment.hubs.get(one, environment.packages))
                for one in needed
            ],
            python = environment.python,
            shard_count = shards,
            tags = [environment.python] + (
                [] if environment.always and not name.endswith("_long_test") else ["manual"]
            ),
            **kwargs
        )
