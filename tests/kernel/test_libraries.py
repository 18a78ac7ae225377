#!/usr/bin/env python3
"""What the program loads: neither libzmq nor libcurl, each with a dozen or two of others behind it, until a kernel or an exchange
needs them. Without libzmq all but the kernel works, and the kernel says what is missing."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

LATEEN = os.environ["LATEEN"]
PROGRAM = 'component c() { image "alpine" }\npipeline p() { c() }\n'


def needed():
    out = subprocess.run(["readelf", "-d", LATEEN], capture_output=True, text=True, check=True).stdout
    return [line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line]


def start(folder, *arguments):
    """With a libzmq that is none."""
    fake = pathlib.Path(folder, "libzmq.so.5")
    fake.touch()
    path = os.pathsep.join(filter(None, (folder, os.environ.get("LD_LIBRARY_PATH"))))
    return subprocess.run([LATEEN, *arguments], capture_output=True, text=True, env={**os.environ, "LD_LIBRARY_PATH": path, "HOME": folder})


def main():
    if shutil.which("readelf"):
        names = needed()
        tap.ok("libc.so.6" in names, f"what it links can be read: {names}")
        for name in ("libzmq", "libcurl"):
            tap.is_([n for n in names if n.startswith(name)], [], f"{name} is not linked")
    else:
        tap.skip("readelf is not there", 3)
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "p.lateen")
        program.write_text(PROGRAM, encoding="utf-8")
        done = start(folder, "compile", str(program))
        tap.is_((done.returncode, done.stderr), (0, ""), "without libzmq, compile works")
        tap.contains(done.stdout, "kind: Workflow", "and prints the workflow")
        done = start(folder, "kernel", "-f", folder + "/connection.json")
        tap.is_(done.returncode, 3, "a kernel does not start")
        tap.contains(done.stderr, "libzmq.so.5 cannot be opened: ", "and says which library is missing")
        done = start(folder, "doctor")
        tap.contains(done.stdout, "kernels cannot start: libzmq.so.5 cannot be opened: ", "so does the doctor")
    tap.done_testing()


main()
