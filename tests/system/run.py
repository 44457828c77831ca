#!/usr/bin/env python3
"""The system tests: run.py BUILD_DIR [--shuffle SEED] [WHAT...], or run.py --list [WHAT...]

WHAT is a test file (login, http/login or its path), a folder of them (http), or a part of tests' names; without one,
all. One line per test; exit 0 when none failed. --shuffle runs them in an order drawn by SEED, --list only names
them. TONEARM_RUN_DIR keeps the logs there; else they go with a temporary folder.
"""
import argparse
import collections
import importlib.util
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from rig import lib  # noqa: E402
from rig.wire import NoAnswer  # noqa: E402


# Any order will do for what they test. This one saves half a minute: accounts/users restricts three users, whose tokens
# end within 30 s, and accounts/tokens looks at when they did; the other tests run in the meantime.
LAST = ("accounts/tokens",)

Test = collections.namedtuple("Test", "path file name run")  # file: as in http/login


def files():
    """(path, file) of each, in the order in which they run."""
    found = [(path, f"{path.parent.name}/{path.stem.removeprefix('test_')}") for path in HERE.glob("*/test_*.py")]
    return sorted(found, key=lambda found: (found[1] in LAST, found[1]))


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tests():
    """All of them in the order of their files; a module's cases() adds those made from tables."""
    for path, file in files():
        module = module_of(path)
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value) and value.__module__ == module.__name__:
                yield Test(path, file, f"{file}: {name[5:].replace('_', ' ')}", value)
        for name, value in getattr(module, "cases", list)():
            yield Test(path, file, f"{file}: {name}", value)


def named_by(word, every):
    """The tests of the file or folder of this name; where there is none, those whose names have the word in them."""
    path = pathlib.Path(word).resolve()
    of_files = [test for test in every if word in (test.file, *test.file.split("/")) or path in (test.path, test.path.parent)]
    found = of_files or [test for test in every if word in test.name]
    if not found:
        raise SystemExit(f"run.py: no test file, folder or test has the name {word}: see run.py --list")
    return found


def chosen_by(words, seed):
    """Each test once, in the suite's order or the seed's."""
    every = list(tests())
    wanted = {test.name for word in words for test in named_by(word, every)} if words else {test.name for test in every}
    chosen = [test for test in every if test.name in wanted]
    if seed is not None:
        random.Random(seed).shuffle(chosen)
    return chosen


def told(e):
    """The first thing that went wrong, and what did on the way out of it."""
    return (f"{told(e.__context__)} ; and then " if e.__context__ else "") + f"{type(e).__name__}: {e}"


def attempt(stack, test):
    """passed, failed, skipped or n/a (it does not apply to this run's BLOBS), and why."""
    try:
        test(stack)
        result, why = "passed", ""
    except lib.Skipped as e:
        result, why = "skipped", str(e)
    except lib.NotApplicable as e:
        result, why = "n/a", str(e)
    except (lib.Failed, NoAnswer, OSError) as e:
        result, why = "failed", told(e)
    except Exception:  # a broken test is a failed test, and the others still run
        result, why = "failed", traceback.format_exc()
    try:
        died = stack.heal()
        if result == "failed":
            stack.clear_left()
    except Exception as e:
        died = [f"the suite did not recover: {e}"]
    if died:
        result, why = "failed", " ; ".join([why, *died])
    return result, why


def run(stack, chosen):
    counts = {"passed": 0, "failed": 0, "skipped": 0, "n/a": 0}
    failures = []
    for test in chosen:
        began = time.monotonic()
        result, why = attempt(stack, test.run)
        counts[result] += 1
        took = time.monotonic() - began
        print(f"{result:7} {took:6.2f} s  {test.name}" + (f"\n    {why}" if why else ""), flush=True)
        if result == "failed":
            failures.append(f"{test.name}: {why.strip().splitlines()[-1][:300]}")
    return counts, failures


def end(stack):
    """What was wrong with how the daemons ended."""
    try:
        stack.stop()
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    return ""


def arguments():
    """(build folder or None, chosen tests)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--shuffle", metavar="SEED", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_intermixed_args()
    if not given.list and not given.words:
        parser.error("which build? run.py build/release")
    build = None if given.list else pathlib.Path(given.words.pop(0)).resolve()
    return build, chosen_by(given.words, given.shuffle)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through the ends of all that was started
    build, chosen = arguments()
    if build is None:
        print("\n".join(test.name for test in chosen))
        return 0
    keep = os.environ.get("TONEARM_RUN_DIR")
    folder = keep or tempfile.mkdtemp(prefix="tonearm-system-")
    stack = lib.Stack(folder, build)
    counts, failures = {"passed": 0, "failed": len(chosen), "skipped": 0, "n/a": 0}, ["start of the suite"]
    try:
        stack.start()
        counts, failures = run(stack, chosen)
    except Exception as e:
        print(f"failed: the suite did not start: {type(e).__name__}: {e}")
    finally:
        if why := end(stack):
            print(f"failed: the end of the suite: {why}")
            counts["failed"] += 1
            failures = [*failures, "end of the suite"]
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    for name in failures:
        print(f"FAILED {name}")
    if counts["n/a"]:
        print(f"not applicable to BLOBS={stack.blobs.kind}: {counts['n/a']} of {len(chosen)}")
    print(f"system tests: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
