#!/usr/bin/env python3
"""Breaks every rule of check_layers.py and check_structure.py once, in a small tree, and sees it named.

The tree stands under the real ARCHITECTURE.md: a row that goes missing there, or grants more, fails here.
"""
import pathlib
import tempfile
import unittest

import check_layers
import check_structure

# A tree that keeps every rule.
GOOD = {
    "README.md": "# x\n",
    "common/base/err.h": "#include <stdint.h>\n",
    "common/model/job.h": '#include "base/err.h"\n',
    "common/wire/json.h": '#include "model/job.h"\n',
    "common/wire/json.c": '#include <jansson.h>\n#include "wire/json.h"\n',
    "common/port/store.h": '#include "model/job.h"\n',
    "common/net/http.h": '#include "base/err.h"\n',
    "common/net/http_private.h": '#include <microhttpd.h>\n#include "net/http.h"\n',
    "common/flow/relay.h": '#include "port/store.h"\n',
    "common/sandbox/walls.c": "#include <seccomp.h>\n",
    "common/sandbox/walls.h": "",
    "common/daemon/daemon.h": '#include "net/http.h"\n',
    "common/daemon/command_options.h": '#include "base/err.h"\n',
    "common/adapter/mongo/pool.h": '#include "base/err.h"\n',
    "common/adapter/gridfs/gridfs.h": '#include "adapter/mongo/pool.h"\n#include "port/store.h"\n',
    "common/adapter/amqp/amqp.h": '#include "port/store.h"\n',
    "common/adapter/amqp/private.h": "#include <amqp.h>\n",
    "common/adapter/token_jwt.c": '#include <jwt.h>\n#include "port/store.h"\n',
    "common/adapter/identity_http.c": '#include "net/http.h"\n',
    "common/backend/blobs.h": '#include "port/store.h"\n#include "daemon/daemon.h"\n',
    "common/backend/blobs.c": '#include "adapter/gridfs/gridfs.h"\n#include "backend/blobs.h"\n',
    "services/gateway/config.h": '#include "daemon/daemon.h"\n#include "backend/blobs.h"\n',
    "services/gateway/upload.h": '#include "flow/relay.h"\n',
    "services/gateway/upload.c": '#include "gateway/upload.h"\n#include "net/http.h"\n',
    "services/gateway/main.c": '#include "adapter/amqp/amqp.h"\n#include "gateway/config.h"\n#include "backend/blobs.h"\n',
    "services/converter/command/jobs.c": '#include "daemon/command_options.h"\n#include "converter/config.h"\n',
    "services/converter/config.h": '#include "daemon/daemon.h"\n',
    "services/converter/janitor.c": '#include "port/store.h"\n',
    "services/worker/main.c": '#include "sandbox/walls.h"\n#include "worker/source/source.h"\n',
    "services/worker/source/source.h": '#include "wire/json.h"\n',
    "services/worker/source/source.c": '#include <libavformat/avformat.h>\n#include "worker/mp3/mp3.h"\n',
    "services/worker/mp3/mp3.h": '#include "base/err.h"\n',
    "services/worker/mp3/lame.c": "#include <lame/lame.h>\n",
}
# (file, its new text, what must be said): the layers
LAYERS = [
    ("common/base/err.h", '#include "model/job.h"', "base may not include model"),
    ("common/model/job.h", '#include "wire/json.h"', "model may not include wire"),
    ("common/wire/json.h", '#include "port/store.h"', "wire may not include port"),
    ("common/port/store.h", '#include "wire/json.h"', "port may not include wire"),
    ("common/net/http.h", '#include "model/job.h"', "net may not include model"),
    ("common/flow/relay.h", '#include "net/http.h"', "flow may not include net"),
    ("common/sandbox/walls.h", '#include "model/job.h"', "sandbox may not include model"),
    ("common/daemon/daemon.h", '#include "port/store.h"', "daemon may not include port"),
    ("common/daemon/command_options.h", '#include "daemon/daemon.h"', "daemon/command may not include daemon"),
    ("common/adapter/amqp/amqp.h", '#include "net/http.h"', "adapter/amqp may not include net"),
    ("common/adapter/amqp/amqp.h", '#include "adapter/mongo/pool.h"', "adapter/amqp may not include adapter/mongo"),
    ("common/adapter/gridfs/gridfs.h", '#include "adapter/amqp/amqp.h"', "adapter/gridfs may not include adapter/amqp"),
    ("common/adapter/token_jwt.c", '#include "adapter/gridfs/gridfs.h"', "adapter/token_jwt may not include adapter/gridfs"),
    ("common/adapter/identity_http.c", '#include "daemon/daemon.h"', "adapter/identity_http may not include daemon"),
    ("common/backend/blobs.c", '#include "gateway/upload.h"', "backend may not include services/gateway"),
    ("services/gateway/upload.c", '#include "adapter/amqp/amqp.h"', "services/gateway may not include adapter/amqp"),
    ("services/gateway/upload.c", '#include "daemon/daemon.h"', "services/gateway may not include daemon"),
    ("services/gateway/upload.c", '#include "backend/blobs.h"', "services/gateway may not include backend"),
    ("services/converter/janitor.c", '#include "gateway/upload.h"', "services/converter may not include services/gateway"),
    ("services/gateway/config.h", '#include "adapter/amqp/amqp.h"', "services/gateway/config may not include adapter/amqp"),
    ("services/converter/command/jobs.c", '#include "adapter/amqp/amqp.h"', "services/converter/command may not include adapter/amqp"),
    ("services/gateway/main.c", '#include "sandbox/walls.h"', "services/gateway/main may not include sandbox"),
    ("services/worker/source/source.c", '#include "port/store.h"', "services/worker may not include port"),
    ("services/worker/main.c", '#include "daemon/daemon.h"', "services/worker/main may not include daemon"),
    ("services/worker/mp3/mp3.h", '#include "worker/source/source.h"', "services/worker/mp3 may not include services/worker"),
    ("common/stray.h", "", "no row of ARCHITECTURE.md speaks of this file"),
    ("services/gateway/upload.h", '#include "flow/gone.h"', "there is no flow/gone.h"),
]
# the same, reached through a header that is allowed
CHAINS = [
    ("services/gateway/upload.h", '#include "gateway/config.h"', "services/gateway/upload.c:1: services/gateway may not reach daemon: "
     "services/gateway/upload.h -> services/gateway/config.h -> common/daemon/daemon.h"),
    ("common/backend/blobs.h", '#include "adapter/gridfs/gridfs.h"', "services/gateway/config.h:2: services/gateway/config may not reach "
     "adapter/gridfs: common/backend/blobs.h -> common/adapter/gridfs/gridfs.h"),
    ("common/base/err.h", '#include "net/http.h"', "common/model/job.h:1: model may not reach net: "
     "common/base/err.h -> common/net/http.h"),
]
LIBRARIES = [
    ("services/gateway/upload.c", "#include <microhttpd.h>", "<microhttpd.h> belongs to common/net"),
    ("common/adapter/token_jwt.c", "#include <sodium.h>", "<sodium.h> belongs to common/adapter/password_sodium"),
    ("common/net/http.h", "#include <microhttpd.h>", "<microhttpd.h> in a header that is not private"),
    ("common/base/err.h", "#include <zlib.h>", "<zlib.h> is of no library that ARCHITECTURE.md lists"),
    ("services/gateway/upload.c", '#include "net/http_private.h"', "services/gateway/upload.c: <microhttpd.h> belongs to common/net: "
     "common/net/http_private.h"),
]
CALLS = {  # a circle that no include shows: one private header declares both
    "common/net/in.c": '#include "net/io.h"\nvoid\nin(void)\n{\n\tout();\n}\n',
    "common/net/out.c": '#include "net/io.h"\nvoid\nout(void)\n{\n\tin();\n}\n',
    "common/net/io.h": "void in(void);\nvoid out(void);\n",
}
SHAPES = [
    ({"common/base/long.c": "\n" * 401}, "common/base/long.c: 401 lines, 400 at most"),
    ({"tests/long.py": "\n" * 401}, "tests/long.py: 401 lines, 400 at most"),
    ({"common/base/big.c": "int\nbig(int a)\n{\n" + "\ta++;\n" * 57 + "}\n"}, "common/base/big.c:1: big has 61 lines, 60 at most"),
    ({"tests/big.py": "def big():\n" + "    pass\n" * 60}, "tests/big.py:1: big has 61 lines, 60 at most"),
    ({"tests/big.sh": "big() {\n" + "\ttrue\n" * 59 + "}\n"}, "tests/big.sh:1: big has 61 lines, 60 at most"),
    ({f"tests/many/{i}.json": "" for i in range(26)}, "tests/many: 26 files, 25 at most"),
    ({"README.md": "x" * 12289}, "README.md: 12289 bytes, 12288 at most"),
    (CALLS, "a circle of files: common/net/in, common/net/out"),
    ({"common/base/a.h": '#include "base/b.h"\n', "common/base/b.h": '#include "base/a.h"\n'},
     "a circle of files: common/base/a.h, common/base/b.h"),
    ({"tests/a.py": "import b\n", "tests/b.py": "from a import c\n"}, "a circle of files: tests/a.py, tests/b.py"),
    ({"tests/support/rig/a.py": "from rig import b\n", "tests/support/rig/b.py": "from rig.a import c\n"},
     "a circle of files: tests/support/rig/a.py, tests/support/rig/b.py"),
    ({"common/base/err.h": '#include "model/job.h"\n'}, "base may not include model"),
]
ALLOWED = {
    "common/base/large.c": "int\nlarge(int a)\n{\n" + "\ta++;\n" * 56 + "}\n" + "\n" * 340,
    "README.md": "x" * 12288,
    "manifests/board.json": "\n" * 500,
    **{f"tests/many/{i}.json": "" for i in range(25)},
    **{f"tests/fuzz/corpus/http/{i}": "" for i in range(30)},
}


def said(files):
    """What both scripts say of a tree: the good one, changed."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        paper = (check_layers.ROOT / "ARCHITECTURE.md").read_text()
        for path, text in {**GOOD, "ARCHITECTURE.md": paper, **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return [text for _, text in check_structure.problems(root)]


class Structure(unittest.TestCase):
    def expect(self, files, words):
        found = said(files)
        self.assertTrue(any(words in text for text in found), f"{words!r} is not in {found}")

    def test_a_good_tree_has_no_problem(self):
        self.assertEqual(said({}), [])

    def test_what_is_just_allowed_is_allowed(self):
        self.assertEqual(said(ALLOWED), [])

    def test_an_include_of_a_forbidden_layer_is_named(self):
        for path, text, words in LAYERS:
            with self.subTest(words):
                self.expect({path: text + "\n"}, f"{path}:1: {words}" if text else f"{path}: {words}")

    def test_a_forbidden_layer_behind_an_allowed_header_is_named_with_the_chain(self):
        for path, text, words in CHAINS:
            with self.subTest(words):
                self.expect({path: text + "\n"}, words)

    def test_a_library_stays_with_its_owner(self):
        for path, text, words in LIBRARIES:
            with self.subTest(words):
                self.expect({path: text + "\n"}, words)

    def test_sizes_and_shapes_are_held(self):
        for files, words in SHAPES:
            with self.subTest(words):
                self.expect(files, words)


if __name__ == "__main__":
    unittest.main()
