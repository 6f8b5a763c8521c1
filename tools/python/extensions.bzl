"""The module extension that makes python3.11 from PATH the Python toolchain."""

load(":local_python.bzl", "local_python")

python = module_extension(
    implementation = lambda _module_ctx: local_python(name = "local_python"),
    doc = "Provides @local_python//:toolchain.",
)
