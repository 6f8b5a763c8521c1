"""Compiles an OpenAPI spec into a Python package: models, endpoints and facts of the spec."""

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from tools.codegen.document import Document
from tools.codegen.endpoints import Templates
from tools.codegen.errors import SpecError
from tools.codegen.models import Models, compile_models
from tools.codegen.operations import Operations, read_operations
from tools.codegen.overrides import HandWritten, read_hand_written

_RUFF_RULES = ("F401", "I", "UP", "RUF022", "RUF100")


def compile_package(
    spec: Path, *, package: str, support: str, command: str, hand_written: list[Path], ruff: Path
) -> dict[str, str]:
    """Compiles a spec.

    Args:
        spec: The OpenAPI document, JSON.
        package: Import name of the package that is made.
        support: Import name of the package that its modules build on, with `_base`, `_operation`,
            `client`, `errors` and `types`.
        command: What a person types to make it anew, for the files' first lines.
        hand_written: Modules of the package that are not generated.
        ruff: The formatter's executable.

    Returns:
        Text of each module by its path in the package.

    Raises:
        SpecError: The spec, or a hand-written module in its place, cannot be compiled.
    """
    document = Document(spec)
    operations = read_operations(document)
    written = read_hand_written(hand_written, package)
    overrides = {module.module for module in written if module.is_model}
    models = compile_models(
        document, operations, package=package, support=support, overrides=overrides
    )
    extra = _check_overrides(models, [module for module in written if module.is_model])
    templates = Templates(package=package, support=support, command=command, spec=spec.name)
    files = _render(templates, document, operations, models, extra)
    replaced = {str(module.path) for module in written}
    return _formatted({p: t for p, t in files.items() if p not in replaced}, ruff)


def _check_overrides(models: Models, written: list[HandWritten]) -> dict[str, tuple[str, ...]]:
    """Gives the names of each hand-written models module that stands for no schema of the spec."""
    by_module = {model.module: model for model in models.models}
    extra = {}
    for module in written:
        model = by_module.get(module.module)
        if model is None:
            if not module.classes:
                raise SpecError(
                    str(module.path), "offers no class; name a private module with an underscore"
                )
            extra[module.module] = module.classes
        elif model.name not in module.classes:
            raise SpecError(
                str(module.path), f"does not define {model.name}, the model whose place it takes"
            )
        elif model.name in module.imported:
            raise SpecError(
                str(module.path),
                f"imports {model.name} from the generated models, which is this module's own;"
                f" its generated class is called Generated{model.name}",
            )
    return extra


def _render(
    templates: Templates,
    document: Document,
    operations: Operations,
    models: Models,
    extra: dict[str, tuple[str, ...]],
) -> dict[str, str]:
    files = {
        "spec.py": templates.facts(document, operations),
        "models/generated.py": templates.generated(models),
        "models/__init__.py": templates.models_init(models, extra),
        "api/__init__.py": templates.api_init(operations),
    }
    for model in models.models:
        if not model.overridden:
            files[f"models/{model.module}.py"] = templates.stub(model)
    for tag in {operation.tag: operation for operation in operations.operations}.values():
        files[f"api/{tag.tag}/__init__.py"] = templates.tag_init(tag, operations)
    for operation in operations.operations:
        files[f"api/{operation.tag}/{operation.module}.py"] = templates.endpoint(operation, models)
    return files


def _formatted(files: dict[str, str], ruff: Path) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        common = [
            "--isolated",
            "--no-cache",
            "--quiet",
            "--line-length=100",
            "--target-version=py311",
        ]
        for arguments in (
            ["check", "--fix", f"--select={','.join(_RUFF_RULES)}", "--exit-zero"],
            ["format"],
        ):
            made = subprocess.run(
                [ruff.absolute(), *arguments, *common, "."],
                cwd=folder,
                capture_output=True,
                text=True,
            )
            if made.returncode:
                raise SpecError(
                    "", f"gives code that ruff refuses: {' '.join(made.stderr.split())}"
                )
        return {path: Path(folder, path).read_text(encoding="utf-8") for path in sorted(files)}


def write_archive(files: dict[str, str], archive: Path) -> None:
    """Writes all files into a zip whose bytes depend on nothing else."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for path, text in sorted(files.items()):
            target.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)


def stale_module(path: PurePosixPath, package: str, command: str) -> str:
    """Gives the text of a module that the mirror lists and the spec gives no more."""
    name = ".".join((package, *path.with_suffix("").parts))
    return (
        f'"""Not generated any more."""\n\nraise ImportError(\n'
        f'    "{name} is no longer in the spec; run {command} to remove its file"\n)\n'
    )


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="codegen", fromfile_prefix_chars="@", description=__doc__)
    parser.add_argument("--spec", type=Path, required=True, help="the OpenAPI document, JSON")
    parser.add_argument("--package", required=True, help="import name of the package that is made")
    parser.add_argument(
        "--support", help="import name of the package that it builds on; itself by default"
    )
    parser.add_argument("--command", required=True, help="what a person types to make it anew")
    parser.add_argument("--ruff", type=Path, required=True, help="the formatter's executable")
    parser.add_argument("--archive", type=Path, required=True, help="zip to write all files into")
    parser.add_argument("--folder", type=Path, help="where to write the files of --output")
    parser.add_argument(
        "--output", nargs="*", default=[], help="files to write, as paths in the package"
    )
    parser.add_argument(
        "--hand-written", nargs="*", type=Path, default=[], help="modules that exist"
    )
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Runs the compiler; writes nothing where it fails."""
    arguments = _arguments(argv)
    try:
        files = compile_package(
            arguments.spec,
            package=arguments.package,
            support=arguments.support or arguments.package,
            command=arguments.command,
            hand_written=arguments.hand_written,
            ruff=arguments.ruff,
        )
    except SpecError as error:
        print(f"{arguments.spec}: {error}", file=sys.stderr)
        return 1
    for output in arguments.output:
        path = PurePosixPath(output)
        target = Path(arguments.folder or ".", path)
        target.parent.mkdir(parents=True, exist_ok=True)
        stale = stale_module(path, arguments.package, arguments.command)
        target.write_text(files.get(str(path), stale), encoding="utf-8")
    write_archive(files, arguments.archive)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
