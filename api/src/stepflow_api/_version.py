"""The version of all three packages; Bazel reads this file too, as //tools/wheel:version.bzl."""

VERSION = "0.1.0"
