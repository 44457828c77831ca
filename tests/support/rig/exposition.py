"""Reads Prometheus' text format (0.0.4) and refuses what a strict scraper would, and what would make counters lie."""
import math
import re

from rig.waits import expect

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)$")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Scrape:
    def __init__(self, text):
        self.types = {}   # family: type
        self.series = {}  # (sample's name, ((label, value), ...)): value
        expect(text.endswith("\n"), "the last line has no end")
        for line in text[:-1].split("\n"):
            if line.startswith("#"):
                self.comment(line)
            else:
                self.sample(line)
        expect(self.helped == self.family == list(self.types)[-1], "a family without samples at the end")
        for family, kind in self.types.items():
            if kind == "histogram":
                self.check_histogram(family)

    helped = family = None

    def comment(self, line):
        _, word, name, rest = line.split(" ", 3)
        if word == "HELP":
            expect(rest and name not in self.types, "a second HELP, or an empty one:", line)
            self.helped = name
        else:
            expect(word == "TYPE" and name == self.helped and name not in self.types, "TYPE does not follow HELP, or comes twice:", line)
            expect(rest in SUFFIXES and (rest == "counter") == name.endswith("_total"), "type:", line)
            self.types[name], self.family = rest, name

    def sample(self, line):
        found = SAMPLE.match(line)
        expect(found, "no sample:", line)
        name, labels, value = found.groups()
        expect(any(name == self.family + s for s in SUFFIXES[self.types[self.family]]), "a sample among another family's:", line)
        pairs = tuple(sorted(LABEL.findall(labels or "")))
        expect(LABEL.sub("", labels or "") == "" and len(dict(pairs)) == len(pairs), "labels:", line)
        expect((name, pairs) not in self.series, "a series twice:", line)
        self.series[name, pairs] = float(value)
        expect(self.types[self.family] == "gauge" or self.series[name, pairs] >= 0, "a count below 0:", line)
        expect(not math.isnan(self.series[name, pairs]), line)

    def check_histogram(self, family):
        rows = {}
        for (name, pairs), value in self.series.items():
            if name == f"{family}_bucket":
                rest = tuple(p for p in pairs if p[0] != "le")
                rows.setdefault(rest, []).append((float(dict(pairs)["le"]), value))
        expect(rows, family, "has no buckets")
        for rest, buckets in rows.items():
            expect(buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets), family, "does not add up:", buckets)
            expect(buckets[-1] == (math.inf, self.series[f"{family}_count", rest]), family, "+Inf is not the count:", buckets)
            expect((f"{family}_sum", rest) in self.series, family, "has no sum")

    def labels(self, family):
        """The names of its labels, without a histogram's own."""
        sets = {frozenset(k for k, _ in pairs if k != "le") for name, pairs in self.series if name.startswith(family)
                and name[len(family):] in SUFFIXES[self.types[family]]}
        expect(len(sets) == 1, family, "has series with other labels:", sets)
        return sets.pop()

    def value(self, name, /, **labels):
        """0 where there is no such series: a counter appears with its first count."""
        return self.series.get((name, tuple(sorted(labels.items()))), 0)
