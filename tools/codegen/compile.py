"""Compiles an OpenAPI spec into a Python package: models, endpoints and facts of the spec."""

import argparse
import contextlib
import functools
import gc
import io
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from tools.codegen.document import Document
from tools.codegen.endpoints import Templates
from tools.codegen.errors import Refusals, SpecError, printable
from tools.codegen.hand_written import check_hand_written, read_hand_written
from tools.codegen.models import Models, compile_models
from tools.codegen.operations import Operation, Operations, read_operations

# A comment that no text of a spec can have.
_BETWEEN = "# \x1f\n"


def compile_package(
    spec: Path,
    *,
    overlay: Path | None = None,
    sources: Collection[Path] = (),
    package: str,
    support: str,
    command: str,
    hand_written: Mapping[str, Path],
    ruff: Path | None,
    skip: Collection[str] = (),
    strict_requests: bool = False,
    notes: list[str] | None = None,
) -> dict[str, str]:
    """Compile a spec.

    Args:
        spec: The OpenAPI or JSON Schema document, JSON or YAML.
        overlay: An OpenAPI Overlay to apply to it.
        sources: Other files that it refers to.
        package: Import name of the package that is made.
        support: Import name of the package that its modules build on, with `base`, `_hidden`,
            `_operation`, `client`, `errors`, `lowlevel` and `types`.
        command: What a person types to make it anew, for the files' first lines.
        hand_written: Modules that are not generated, by their path in the package.
        ruff: The formatter's executable; None leaves the text as the templates write it.
        skip: Operations to leave out: their operationIds, or such as `GET /runs`.
        strict_requests: Whether requests refuse fields that the spec does not name everywhere, and
            not only where it says `additionalProperties: false`.
        notes: List to which a line about skipped operations is appended.

    Returns:
        Text of each module by its path in the package.

    Raises:
        SpecError: The spec, or a hand-written module in its place, cannot be compiled.
    """
    document = Document(spec, overlay, sources)
    try:
        operations = read_operations(document, skip)
        written = read_hand_written(hand_written)
        models = compile_models(
            document,
            operations,
            package=package,
            support=support,
            overrides={module.name: module.path for module in written},
            strict_requests=strict_requests,
        )
    except RecursionError as error:
        raise SpecError("", "is nested too deeply to be compiled") from error
    refused = {
        error.place: error for path, error in operations.refused.items() if path not in hand_written
    }
    if refused:
        raise Refusals(list(refused.values()))
    left_out = operations.skipped + len(operations.refused)
    if left_out and notes is not None:
        total = left_out + len(operations.operations)
        notes.append(f"{left_out} of {total} operations are not compiled: skipped, or by hand")
    extra = check_hand_written(written, models.models)
    named = " and ".join(file.name for file in (spec, overlay) if file)
    templates = Templates(package=package, support=support, command=command, spec=named)
    files = _render(templates, document, operations, models, extra)
    files = {path: text for path, text in files.items() if path not in hand_written}
    return _formatted(files, ruff) if ruff else files


def _render(
    templates: Templates,
    document: Document,
    operations: Operations,
    models: Models,
    extra: dict[str, tuple[str, ...]],
) -> dict[str, str]:
    files = {
        "models/__init__.py": templates.models_init(document, models, extra),
        "models/_generated/__init__.py": templates.render("generated_init.py"),
    }
    tags: dict[str, list[Operation]] = {}
    for operation in operations.operations:
        tags.setdefault(operation.tag, []).append(operation)
        files[f"api/{operation.tag}/{operation.module}.py"] = templates.endpoint(operation, models)
    if not document.is_json_schema:
        files["spec.py"] = templates.facts(document, operations)
        files["api/__init__.py"] = templates.render("api_init.py", tags=sorted(tags))
    for tag, members in tags.items():
        files[f"api/{tag}/__init__.py"] = templates.render("tag_init.py", members=members)
    for source in models.sources:
        # Only string literals are left, in which the escape stands for the same character.
        text = printable(templates.render("models.py", source=source), keep="\n")
        files[_models_path(source.module)] = text
    for module, (home, name) in models.stubs.items():
        files[_models_path(module)] = templates.render("stub.py", home=home, name=name)
    return files


def _models_path(module: str) -> str:
    return f"models/{module.replace('.', '/')}.py"


def _formatted(files: dict[str, str], ruff: Path) -> dict[str, str]:
    # As one text, since thousands of files take ruff longer to read and write than to format.
    paths = sorted(files)
    made = subprocess.run(
        [ruff.absolute(), "format", "--isolated", "--no-cache", "-q", "--line-length=100", "-"],
        input=_BETWEEN.join(files[path] for path in paths).encode(),
        capture_output=True,
    )
    if made.returncode:
        problem = " ".join(made.stderr.decode().split())
        raise SpecError("", f"compiles to code that ruff refuses: {problem}")
    texts = made.stdout.decode().split(_BETWEEN)
    return {path: text.rstrip("\n") + "\n" for path, text in zip(paths, texts, strict=True)}


def archive_of(files: Mapping[str, str]) -> bytes:
    """Return a zip of all files whose bytes depend on nothing else."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as target:
        for path, text in sorted(files.items()):
            target.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return content.getvalue()


def stale_module(path: str, package: str, command: str) -> str:
    """Return the text of a module that the mirror lists and the spec no longer has."""
    name = ".".join((package, *PurePosixPath(path).with_suffix("").parts))
    problem = f"{name} is no longer made from the spec; run {command} to remove its file"
    return f'"""Not generated any more."""\n\nraise ImportError(\n    {problem!r}\n)\n'


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="codegen", fromfile_prefix_chars="@", description=__doc__)
    add, files = parser.add_argument, functools.partial(parser.add_argument, nargs="*", default=[])
    add("--spec", type=Path, required=True, help="OpenAPI or JSON Schema document, JSON or YAML")
    add("--overlay", type=Path, help="OpenAPI Overlay to apply to it, YAML")
    files("--source", type=Path, metavar="FILE", help="other files that the document refers to")
    add("--package", required=True, help="import name of the package that is made")
    add("--support", help="import name of the package that it builds on; itself by default")
    add("--command", required=True, help="what a person types to make it anew")
    add("--ruff", type=Path, required=True, help="the formatter's executable")
    add("--archive", type=Path, required=True, help="zip to write all files into")
    add("--folder", type=Path, default=Path(), help="where to write --output")
    files("--output", help="files to write, as paths in the package")
    where = "modules that exist, with their paths in the package"
    files("--hand-written", metavar="PATH=FILE", help=where)
    skipped = "operations to leave out: their operationIds, or such as 'GET /runs'"
    files("--skip", metavar="OPERATION", help=skipped)
    strict = "refuse fields in requests that the document does not name"
    add("--strict-requests", action="store_true", help=strict)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run the compiler; writes nothing where it fails."""
    arguments = _arguments(argv)
    document = f"{arguments.spec} with {arguments.overlay}" if arguments.overlay else arguments.spec
    notes: list[str] = []
    try:
        files = compile_package(
            arguments.spec,
            overlay=arguments.overlay,
            sources=[Path(file) for file in arguments.source],
            package=arguments.package,
            support=arguments.support or arguments.package,
            command=arguments.command,
            hand_written={
                path: Path(file)
                for path, file in (pair.split("=", 1) for pair in arguments.hand_written)
            },
            ruff=arguments.ruff,
            skip=arguments.skip,
            strict_requests=arguments.strict_requests,
            notes=notes,
        )
    except SpecError as error:
        for one in error.errors if isinstance(error, Refusals) else [error]:
            print(f"{one.file or document}: {one}", file=sys.stderr)
        return 1
    for note in notes:
        print(f"{document}: {note}", file=sys.stderr)
    outputs = {
        arguments.folder / path: files.get(
            path, stale_module(path, arguments.package, arguments.command)
        ).encode()
        for path in arguments.output
    }
    outputs[arguments.archive] = archive_of(files)
    try:
        for file, content in outputs.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        for file in outputs:
            with contextlib.suppress(OSError):
                file.unlink()
        print(f"{error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # The process ends with its one compilation, and a search for garbage costs more than it frees;
    # what is frozen is not searched at the end either.
    gc.disable()
    status = main(sys.argv[1:])
    gc.freeze()
    sys.exit(status)
