"""SQL through Debian's client; the password goes by a file, never as an argument."""
import subprocess


def query(s, sql):
    options = s.run / "client.cnf"
    if not options.exists():
        options.touch(mode=0o600)
        options.write_text(
            f"[client]\nhost=127.0.0.1\nport={s.ports['MARIADB_PORT']}\nuser=root\n"
            f"password={(s.run / 'mysql-root.secret').read_text()}\ndefault-character-set=utf8mb4\n"
        )
    done = subprocess.run(
        ["mariadb", f"--defaults-file={options}", "--batch", "--skip-column-names"], input=sql, capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout
