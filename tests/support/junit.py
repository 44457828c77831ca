#!/usr/bin/env python3
"""Passed, failed and skipped of a CTest JUnit report, or (--failed) the failed ones' names. A report that is not there is one failure."""
import sys
import xml.etree.ElementTree

try:
    suite = xml.etree.ElementTree.parse(sys.argv[-1]).getroot()
except (OSError, xml.etree.ElementTree.ParseError):
    print("no report of ctest" if sys.argv[1] == "--failed" else "0 1 0")
    sys.exit()
if sys.argv[1] == "--failed":
    print("".join(f"{case.get('name')}\n" for case in suite.iter("testcase") if case.get("status") == "fail"), end="")
    sys.exit()
total, failed = int(suite.get("tests", 0)), int(suite.get("failures", 0))
skipped = int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
print(total - failed - skipped, failed, skipped)
