#!/usr/bin/env python3
"""Puts the daemons' own configuration tables into services/README.md, or with --check says whether they are current.

usage: readme_config.py [--check] BUILD_DIR
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- configuration: begin -->\n", "<!-- configuration: end -->"
DAEMONS = ("auth", "gateway", "converter", "notification")


def tables(build):
    for name in DAEMONS:
        program = pathlib.Path(build) / "services" / name / name
        text = subprocess.run([program, "--help=markdown"], check=True, capture_output=True, text=True, timeout=20).stdout
        yield f"### {name}\n\n{text.strip()}\n\n"


def main():
    check = sys.argv[1:2] == ["--check"]
    if len(sys.argv) != 2 + check:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    readme = ROOT / "services" / "README.md"
    old = readme.read_text()
    head, rest = old.split(BEGIN)
    tail = rest.split(END)[1]
    new = head + BEGIN + "\n" + "".join(tables(sys.argv[-1])) + END + tail
    if new == old:
        print("services/README.md: configuration tables are current")
        return 0
    if check:
        print("services/README.md: configuration tables are out of date: run make docs")
        return 1
    readme.write_text(new)
    print("services/README.md: configuration tables written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
