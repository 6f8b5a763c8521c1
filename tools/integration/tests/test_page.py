"""The page "Use it from your repository" shows what tools/integration/run builds."""

import re
from pathlib import Path

import pytest

_BLOCKS = re.findall(
    r"^```\w+\n(.*?)^```$", Path("docs/other-repositories.md").read_text(), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("block", _BLOCKS, ids=lambda block: block.splitlines()[0])
def test_a_block_is_part_of_a_repository(block: str) -> None:
    files = [file for file in Path("tools/integration/repositories").rglob("*") if file.is_file()]

    assert [file for file in files if block in file.read_text(errors="replace")]


def test_the_page_has_blocks() -> None:
    assert len(_BLOCKS) == 5
