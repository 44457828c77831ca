#!/usr/bin/env python3
"""The system tests: run.py BUILD_DIR [PATTERN...]

One line per test; exit 0 when none failed. A pattern is a part of a test's name. TONEARM_RUN_DIR keeps the logs
there; else they go with a temporary folder.
"""
import importlib.util
import os
import pathlib
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


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases():
    """(name, function) in order of files; a module's cases() adds those made from tables."""
    for path in sorted(HERE.glob("*/test_*.py")):
        module = module_of(path)
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value) and value.__module__ == module.__name__:
                yield f"{path.stem[5:]}: {name[5:].replace('_', ' ')}", value
        for name, value in getattr(module, "cases", list)():
            yield f"{path.stem[5:]}: {name}", value


def told(e):
    """The first thing that went wrong, and what did on the way out of it."""
    return (f"{told(e.__context__)} ; and then " if e.__context__ else "") + f"{type(e).__name__}: {e}"


def attempt(stack, test):
    """passed, failed or skipped, and why."""
    try:
        test(stack)
        result, why = "passed", ""
    except lib.Skipped as e:
        result, why = "skipped", str(e)
    except (lib.Failed, NoAnswer, OSError) as e:
        result, why = "failed", told(e)
    except Exception:  # a broken test is a failed test, and the others still run
        result, why = "failed", traceback.format_exc()
    try:
        died = stack.heal()
    except Exception as e:
        died = [f"the suite did not recover: {e}"]
    if died:
        result, why = "failed", " ; ".join([why, *died])
    return result, why


def run(stack, chosen):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for name, test in chosen:
        began = time.monotonic()
        result, why = attempt(stack, test)
        counts[result] += 1
        took = time.monotonic() - began
        print(f"{result:7} {took:6.2f} s  {name}" + (f"\n    {why}" if why else ""), flush=True)
        if result == "failed":
            failures.append(f"{name}: {why.strip().splitlines()[-1][:300]}")
    return counts, failures


def end(stack):
    """What was wrong with how the daemons ended."""
    try:
        stack.stop()
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    return ""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through the ends of all that was started
    build = pathlib.Path(sys.argv[1]).resolve()
    patterns = sys.argv[2:]
    chosen = [c for c in cases() if not patterns or any(p in c[0] for p in patterns)]
    keep = os.environ.get("TONEARM_RUN_DIR")
    folder = keep or tempfile.mkdtemp(prefix="tonearm-system-")
    stack = lib.Stack(folder, build)
    counts, failures = {"passed": 0, "failed": len(chosen), "skipped": 0}, ["start of the suite"]
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
    print(f"system tests: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
