#!/usr/bin/env python3
"""Holds the repository to its sizes and shape: no file over 400 lines, no function over 60, no folder over 25 files, no
circle of files, README.md within 12 KB, and the include rules of ARCHITECTURE.md (check_layers.py).
"""
import ast
import collections
import pathlib
import re
import subprocess
import sys

import check_layers

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE_LINES, FUNCTION_LINES, FOLDER_FILES, README_BYTES = 400, 60, 25, 12 * 1024
# What people write line by line. Papers are bound by what they say, and other files are made by programs.
WRITTEN = (".c", ".h", ".py", ".sh", ".sql", ".cmake", ".yaml", ".lua", ".txt", "Makefile", "Dockerfile")
# Folders that may hold more files, and why.
CROWDED = {
    "tests/fuzz/corpus/": "seeds and crashes, each a file of its own as libFuzzer keeps them",
}


def tracked(root):
    """The repository's files, below root; without git (a test's folder) all that lie there."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True)
    if listed.returncode:
        return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return sorted(f for f in listed.stdout.split("\n") if f and (root / f).is_file())


def long_files(root, files):
    for path in files:
        if path.endswith(WRITTEN):
            lines = (root / path).read_bytes().count(b"\n")
            if lines > FILE_LINES:
                yield path, f"{path}: {lines} lines, {FILE_LINES} at most"


def c_functions(text):
    """(name, first line, lines) of each function; clang-format sets its braces into the first column."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line != "{":
            continue
        first = number
        while first and re.match(r"[\w\t (*]", lines[first - 1]) and not lines[first - 1].endswith((";", "*/")):
            first -= 1
        end = next((i for i in range(number, len(lines)) if lines[i].startswith("}")), len(lines) - 1)
        name = re.search(r"(\w+)\s*\(", " ".join(lines[first:number]).replace("\t", " "))
        yield name[1] if name else "?", first + 1, end - first + 1


def py_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def sh_functions(text):
    for match in re.finditer(r"^(\w+)\(\) \{\n(?:.*\n)*?\}$", text, re.M):
        yield match[1], text[:match.start()].count("\n") + 1, match[0].count("\n") + 1


FUNCTIONS = {".c": c_functions, ".h": c_functions, ".py": py_functions, ".sh": sh_functions}


def long_functions(root, files):
    for path in files:
        find = FUNCTIONS.get(pathlib.PurePosixPath(path).suffix)
        for name, number, lines in find((root / path).read_text()) if find else ():
            if lines > FUNCTION_LINES:
                yield path, f"{path}:{number}: {name} has {lines} lines, {FUNCTION_LINES} at most"


def crowded_folders(files):
    for folder, count in collections.Counter(str(pathlib.PurePosixPath(f).parent) for f in files).items():
        if count > FOLDER_FILES and not (folder + "/").startswith(tuple(CROWDED)):
            yield folder, f"{folder}: {count} files, {FOLDER_FILES} at most"


def stem(path):
    """A .c and its .h are one."""
    return re.sub(r"\.[ch]$", "", path)


def without_words(text):
    """C without comments and strings."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', "", text, flags=re.S)


def shared_functions(text):
    """The names that other files can call."""
    lines = text.split("\n")
    return {name for name, first, _ in c_functions(text) if "static" not in lines[first - 1] and name != "main"}


def uses(texts):
    """Which .c and .h (as one) calls a function that another defines. A name that two define is left out, and what a test
    defines in place of a library is no need of the product's."""
    graph, owners = collections.defaultdict(set), collections.defaultdict(set)
    for path, text in texts.items():
        for name in shared_functions(text):
            owners[name].add(stem(path))
    for path, text in texts.items():
        for name in set(re.findall(r"\w+", without_words(text))) & owners.keys():
            (owner, *others) = owners[name]
            stands_in = owner.startswith("tests/") and not path.startswith("tests/")
            if path.endswith(".c") and not others and not stands_in and owner != stem(path):
                graph[stem(path)].add(owner)
    return graph


def includes(texts):
    """Which header includes which."""
    graph = collections.defaultdict(set)
    for path, text in texts.items():
        names = (match[2] for match in map(check_layers.INCLUDE.match, text.splitlines()) if match and match[1] == '"')
        found = (f"{d}/{name}" for name in names for d in (pathlib.PurePosixPath(path).parent, "common", "services", "tests"))
        graph[path] |= {f for f in found if f in texts and path.endswith(".h")}
    return graph


def imported(text):
    """The modules, with dots, that a file of Python may import: `from a import b` may mean a or a.b."""
    for statement in ast.walk(ast.parse(text)):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield statement.module or ""
            yield from (f"{statement.module or ''}.{alias.name}".strip(".") for alias in statement.names)


def imports(root, files):
    """Which module of Python imports which of ours: of its own folder, or of tests/support."""
    graph, known = collections.defaultdict(set), set(files)
    for path in (f for f in files if f.endswith(".py")):
        modules = [name.replace(".", "/") for name in imported((root / path).read_text()) if name]
        wanted = {f"{d}/{m}{end}" for d in (pathlib.PurePosixPath(path).parent, "tests/support") for m in modules for end in (".py", "/__init__.py")}
        graph[path] |= wanted & known - {path}
    return graph


def circles(graph):
    """Each strongly connected set of more than one file, once (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in sorted(graph.get(v, ())):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            at = stack.index(v)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for v in sorted(graph):
        if v not in index:
            visit(v)
    return [c for c in found if len(c) > 1]


def problems(root):
    files = tracked(root)
    yield from long_files(root, files)
    yield from long_functions(root, files)
    yield from crowded_folders(files)
    texts = {f: (root / f).read_text() for f in files if f.endswith((".c", ".h"))}
    for graph in (uses(texts), includes(texts), imports(root, files)):
        for circle in circles(graph):
            yield circle[0], f"a circle of files: {', '.join(circle)}"
    size = (root / "README.md").stat().st_size
    if size > README_BYTES:
        yield "README.md", f"README.md: {size} bytes, {README_BYTES} at most"
    for problem in check_layers.Layers(root).problems():
        yield problem.split(":")[0], problem


def main():
    found = [text for _, text in problems(ROOT)]
    for text in found:
        print(text)
    print(f"structure: {len(tracked(ROOT))} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
