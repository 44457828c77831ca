"""The rig: real servers and daemons, and what tests of any kind do with them (system, chaos, bench)."""
