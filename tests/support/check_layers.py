#!/usr/bin/env python3
"""Holds the sources to the two tables of ARCHITECTURE.md: who may include whom, and who owns which library.

The tables are read from that file, so the paper and this lint cannot differ. Includes are followed through our own
headers: a layer that is reached through an allowed header is named with the chain that leads to it.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("common", "services")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# what libc, POSIX and Linux bring; every other <header> needs a row in the table of libraries
SYSTEM = re.compile(r"(linux|sys|net|netinet|arpa)/\w+\.h|(assert|ctype|dirent|errno|fcntl|float|inttypes|limits|malloc|math|"
                    r"netdb|poll|pthread|sched|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|"
                    r"termios|time|unistd)\.h")

Row = collections.namedtuple("Row", "pattern words")


def table(text, first_heading):
    """The body rows of the table of ARCHITECTURE.md whose first column has this heading."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            break
    next(lines, None)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


class Layers:
    """The rules, and the sources under root that they are applied to."""

    def __init__(self, root):
        self.root = root
        paper = (root / "ARCHITECTURE.md").read_text()
        self.rows = [Row(cells[0].strip("`"), [w.strip() for w in cells[2].split(",")]) for cells in table(paper, "folder")]
        self.libraries = [(re.findall(r"`<([^>]*)>`", cells[0]), re.findall(r"`([^`]*)`", cells[1])) for cells in table(paper, "library")]
        self.files = {p.relative_to(root).as_posix() for d in SOURCES for p in (root / d).rglob("*.[ch]")}
        self.includes = {path: list(self.read(path)) for path in self.files}

    def read(self, path):
        for number, line in enumerate((self.root / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match[1], match[2]

    def resolve(self, includer, name):
        beside = (pathlib.PurePosixPath(includer).parent / name).as_posix()
        return next((p for p in (beside, *(f"{d}/{name}" for d in SOURCES)) if p in self.files), None)

    def row(self, path):
        """The row that speaks of a file, and its layer's name: adapter/amqp of `common/adapter/*`, daemon/command of `command*`."""
        best = None
        for row in self.rows:
            steps = ["[^/]+" if step == "*" else re.escape(step).replace(r"\*", "[^/]*") for step in row.pattern.split("/")]
            match = re.match("/".join(steps) + r"(?=/|$|\.[ch]$)", path)
            if match and (best is None or len(row.pattern) > len(best[0].pattern)):
                name = re.sub(r"\.[ch]$", "", match[0])
                if re.search(r"\w\*$", row.pattern):
                    name = name[:name.rindex("/")] + row.pattern[row.pattern.rindex("/"):-1]
                best = row, name.removeprefix("common/")
        return best

    def may(self, path, other):
        row, layer = self.row(path)
        _, theirs = self.row(other)
        words = [layer] + [f"services/{path.split('/')[1]}" if word == "its service" else word for word in row.words]
        return any(theirs == word or theirs.startswith(word + "/") for word in words)

    def reached(self, path):
        """(line, header, chain) for every header of ours that a file includes, nearest first."""
        queue = collections.deque((number, self.resolve(path, name), ()) for number, kind, name in self.includes[path] if kind == '"')
        seen = {path}
        while queue:
            number, header, chain = queue.popleft()
            if header is None or header in seen:
                continue
            seen.add(header)
            yield number, header, (*chain, header)
            queue.extend((number, self.resolve(header, name), (*chain, header)) for _, kind, name in self.includes[header] if kind == '"')

    def forbidden(self, path):
        named = set()
        for number, header, chain in self.reached(path):
            layer = self.row(header)[1] if self.row(header) else header
            if layer in named or (self.row(header) and self.may(path, header)):
                continue
            named.add(layer)
            how = "include" if len(chain) == 1 else "reach"
            yield f"{path}:{number}: {self.row(path)[1]} may not {how} {layer}: {' -> '.join(chain)}"

    def owners(self, name):
        return next((owners for prefixes, owners in self.libraries if any(name.startswith(p) for p in prefixes)), None)

    def foreign(self, path):
        """A library's headers: in its owner's files only, and in no header that others read."""
        for header, chain in [(path, ()), *((h, c) for _, h, c in self.reached(path))]:
            for number, kind, name in self.includes[header]:
                if kind != "<" or SYSTEM.fullmatch(name):
                    continue
                owners = self.owners(name)
                if owners is None:
                    if header == path:
                        yield f"{path}:{number}: <{name}> is of no library that ARCHITECTURE.md lists"
                elif not any(path == o or path.startswith((o + "/", o + ".")) for o in owners):
                    where = f"{path}:{number}" if not chain else path
                    yield f"{where}: <{name}> belongs to {', '.join(owners)}" + (f": {' -> '.join(chain)}" if chain else "")
                elif header == path and path.endswith(".h") and not path.endswith("private.h"):
                    yield f"{path}:{number}: <{name}> in a header that is not private"

    def problems(self):
        for path in sorted(self.files):
            if self.row(path) is None:
                yield f"{path}: no row of ARCHITECTURE.md speaks of this file"
                continue
            for number, kind, name in self.includes[path]:
                if kind == '"' and self.resolve(path, name) is None and not self.generated(name):
                    yield f"{path}:{number}: there is no {name}"
            yield from self.forbidden(path)
            yield from self.foreign(path)

    @staticmethod
    def generated(name):
        return "/" not in name  # made by CMake into the build folder


def main():
    layers = Layers(ROOT)
    found = list(layers.problems())
    for problem in found:
        print(problem)
    print(f"layers: {len(layers.files)} files, {len(found)} problems")
    return 1 if found or not layers.files else 0


if __name__ == "__main__":
    sys.exit(main())
