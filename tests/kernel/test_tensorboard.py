#!/usr/bin/env python3
"""`tensorboard R`: a stand-in for the program is started on the folder of the run, its address is shown, and it ends with the kernel."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

STAND_IN = """#!/bin/sh
echo "$@" > "$STAND_IN_ARGS"
echo $$ > "$STAND_IN_PID"
echo "some warnings of its own" >&2
echo "TensorBoard 2.16.2 at http://127.0.0.1:40123/ (Press CTRL+C to quit)" >&2
exec sleep 600
"""

PROGRAM = """component writes() -> (events: Model) {
    script sh \"\"\"mkdir -p "$out_events"; echo x > "$out_events/events.out.tfevents.1.host" \"\"\"
}

component nothing() { script sh \"\"\"true\"\"\" }

component there() -> (dir: String) { script sh \"\"\"echo gs://bucket/logs > "$out_dir" \"\"\" }

"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        programs = pathlib.Path(folder, "bin")
        programs.mkdir()
        environment = dict(os.environ, HOME=folder, STAND_IN_ARGS=folder + "/args", STAND_IN_PID=folder + "/pid",
                           PATH=f"{programs}:{os.environ['PATH']}")

        def lateen(text):
            return subprocess.run([tap.lateen(), "exec", "-"], input=PROGRAM + text, cwd=folder, env=environment, capture_output=True,
                                  text=True, timeout=60, check=False)

        if not subprocess.run(["sh", "-c", "command -v tensorboard"], env=environment, capture_output=True, check=False).returncode:
            tap.skip("a tensorboard is on the PATH")
        else:
            done = lateen("r = writes()\ntensorboard r\n")
            tap.ok(done.returncode == 1 and "L1018" in done.stderr and "pip install tensorboard" in done.stderr, "none is installed")
        program = programs / "tensorboard"
        program.write_text(STAND_IN, encoding="utf-8")
        program.chmod(0o755)
        done = lateen("r = writes()\ntensorboard r\nprint r.status\n")
        tap.contains(done.stdout, "http://127.0.0.1:40123/", "its address is shown")
        tap.contains(pathlib.Path(folder, "args").read_text(encoding="utf-8"), "--logdir " + os.path.realpath(folder) + "/.lateen/runs/",
                     "it looks at the run's folder")
        pid = pathlib.Path(folder, "pid").read_text(encoding="utf-8").strip()
        end = time.monotonic() + 20
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
            time.sleep(0.05)
        tap.ok(not os.path.exists(f"/proc/{pid}"), "and it ends with what has started it")
        done = lateen("r = nothing()\ntensorboard r\n")
        tap.ok(done.returncode == 1 and "L1018" in done.stderr, "a run without events")
        done = lateen("r = there()\ntensorboard r\n")
        tap.contains(done.stdout, "tensorboard --logdir gs://bucket/logs", "events in a bucket: the command")
        program.write_text("#!/bin/sh\necho 'it cannot' >&2\nexit 1\n", encoding="utf-8")
        done = lateen("r = writes()\ntensorboard r\n")
        tap.ok(done.returncode == 1 and "it cannot" in done.stderr, "one that does not start says why")


main()
tap.done_testing()
