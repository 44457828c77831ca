"""A network of the run's own: a namespace that holds all its servers and daemons, where nft loses packets of single ports.

Without root, nft or a kernel that has both, the run stays in the network it is in, and the tests' proxy makes these cuts too.
"""
import itertools
import os
import subprocess
import sys

OWN = "TONEARM_CHAOS_NETWORK"
PREPARE = "ip link set lo up && nft add table inet chaos && nft delete table inet chaos"
_numbers = itertools.count(1)


def enter(say):
    """Becomes this program again in a namespace of its own, once."""
    if not is_own():
        try:
            done = subprocess.run(["unshare", "-n", "sh", "-c", PREPARE], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
            why = "" if done.returncode == 0 else (done.stderr.strip() or "unshare failed").splitlines()[0]
        except (OSError, subprocess.TimeoutExpired) as e:
            why = str(e)
        if why:
            say(f"chaos: no network namespace with nftables here ({why}): all cuts are the proxy's")
            return
        sys.stdout.flush()
        os.execvpe("unshare", ["unshare", "-n", sys.executable, *sys.argv], {**os.environ, OWN: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def is_own():
    return os.environ.get(OWN) == "1"


def cutter():
    return "nftables, in a network namespace of the run" if is_own() else "the proxy alone"


def nft(rules):
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, stdout=subprocess.DEVNULL, timeout=20)


def drop(ports):
    """No packet to or from these ports arrives any more, be it SYN, FIN or RST; the function that ends it."""
    table, which = f"inet cut{next(_numbers)}", "{ " + ", ".join(map(str, ports)) + " }"
    nft(f"""table {table} {{
	chain arriving {{
		type filter hook input priority 0; policy accept;
		tcp dport {which} drop
		tcp sport {which} drop
	}}
}}
""")
    return lambda: nft(f"delete table {table}\n")
