"""What a test expects, and waits for."""
import concurrent.futures
import time


class Failed(Exception):
    """An expectation that did not hold; its text says what was seen."""


class Skipped(Exception):
    pass


class NotApplicable(Exception):
    """The test is about something that this run has not, as its text says."""


def expect(condition, *seen):
    if not condition:
        raise Failed(" ".join(str(x) for x in seen) or "expectation failed")


def until(what, condition, seconds=20.0):
    """The first true value of condition(); Failed past the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def in_parallel(n, work):
    """The results of work(0) to work(n - 1), all at once."""
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return [f.result() for f in [pool.submit(work, i) for i in range(n)]]
