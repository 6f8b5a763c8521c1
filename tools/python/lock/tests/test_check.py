"""Every way in which a lock can fall behind its requirements has a line that names the package."""

import pytest

from tools.python.lock.check import problems

REQUIREMENTS = """\
# For the SDK.
httpx>=0.28
pytest
"""
LOCK = """\
anyio==4.16.0 \\
    --hash=sha256:aa
    # via httpx
httpx==0.28.1 \\
    --hash=sha256:bb
    # via -r third_party/python/requirements.in
idna==3.20 \\
    --hash=sha256:cc
    # via
    #   anyio
    #   httpx
pytest==9.2.0 \\
    --hash=sha256:dd
    # via -r third_party/python/requirements.in
"""
ENVIRONMENT = {"python_version": "3.11", "sys_platform": "linux"}


def check(requirements: str = REQUIREMENTS, lock: str = LOCK) -> list[str]:
    return problems(requirements, lock, ENVIRONMENT)


def pin(name: str, via: str) -> str:
    return f"{name}==1.0 \\\n    --hash=sha256:ee\n    # via {via}\n"


def test_a_lock_that_answers() -> None:
    assert check() == []


@pytest.mark.parametrize(
    "requirements",
    [
        "pytest\nhttpx>=0.28\n",
        "HTTPX >= 0.28  # another comment\npytest\n",
        REQUIREMENTS + "tomli; python_version < '3.11'\n",
        REQUIREMENTS + "httpx<1\n",
    ],
)
def test_edits_that_change_nothing(requirements: str) -> None:
    assert check(requirements=requirements) == []


def test_a_prerelease_answers_when_it_is_in_range() -> None:
    assert check(lock=LOCK.replace("pytest==9.2.0", "pytest==9.3.0rc1")) == []


@pytest.mark.parametrize(
    ("requirements", "found"),
    [
        (REQUIREMENTS + "ruff\n", ["ruff: in requirements.in, but not in the lock"]),
        (
            REQUIREMENTS + "tomli; sys_platform == 'linux'\n",
            ["tomli: in requirements.in, but not in the lock"],
        ),
        (
            REQUIREMENTS.replace("httpx>=0.28", "httpx<0.28"),
            ["httpx: requirements.in asks for <0.28, the lock has 0.28.1"],
        ),
        (
            REQUIREMENTS + "anyio<4\n",
            ["anyio: requirements.in asks for <4, the lock has 4.16.0"],
        ),
        (
            REQUIREMENTS.replace("httpx", "httpx[http2]"),
            ["httpx: requirements.in asks for the extra http2, the lock has it not"],
        ),
        (
            REQUIREMENTS.replace("pytest\n", ""),
            ["pytest: in the lock, but no longer in requirements.in"],
        ),
        (
            REQUIREMENTS.replace("httpx>=0.28\n", ""),
            [
                "anyio: in the lock, but nothing asks for it",
                "httpx: in the lock, but no longer in requirements.in",
                "idna: in the lock, but nothing asks for it",
            ],
        ),
        (
            "httpx\npytest\n-r more.in\n",
            ["requirements.in: line 3 is not a requirement: -r more.in"],
        ),
    ],
)
def test_edited_requirements(requirements: str, found: list[str]) -> None:
    assert check(requirements=requirements) == found


@pytest.mark.parametrize(
    ("lock", "found"),
    [
        (
            LOCK.replace("pytest==9.2.0 \\\n    --hash=sha256:dd", "pytest==9.2.0"),
            ["pytest: locked without a hash"],
        ),
        (LOCK + pin("click", "black"), ["click: in the lock, but nothing asks for it"]),
        (
            LOCK + pin("one", "two") + pin("two", "one"),
            [
                "one: in the lock, but nothing asks for it",
                "two: in the lock, but nothing asks for it",
            ],
        ),
        (LOCK + "click==1.0 --hash=sha256:ee\n", ["click: in the lock, but nothing asks for it"]),
        (
            LOCK.replace("httpx==", "httpx[http2]=="),
            ["httpx: the lock has the extra http2, requirements.in asks for none"],
        ),
        (LOCK + "click>=8\n", ["requirements_lock.txt: line 15 is not an exact pin: click>=8"]),
    ],
)
def test_edited_lock(lock: str, found: list[str]) -> None:
    assert check(lock=lock) == found


def test_another_package_may_ask_for_an_extra() -> None:
    lock = LOCK.replace("httpx==", "httpx[http2]==").replace(
        "    # via -r third_party/python/requirements.in\nidna",
        "    # via\n    #   -r third_party/python/requirements.in\n    #   pytest\nidna",
    )
    assert lock.count("pytest\n") == LOCK.count("pytest\n") + 1
    assert check(lock=lock) == []


def test_several_differences_are_all_told() -> None:
    assert check(requirements="httpx>=1\nruff\n") == [
        "httpx: requirements.in asks for >=1, the lock has 0.28.1",
        "pytest: in the lock, but no longer in requirements.in",
        "ruff: in requirements.in, but not in the lock",
    ]
