#!/usr/bin/env python3
"""Runs in a notebook's kernel: an interrupt ends them and leaves no process, and so does the kernel's death, however it dies."""
import os
import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

tap.need("jupyter_client")
from jupyter_client.kernelspec import KernelSpec  # noqa: E402
from jupyter_client.manager import KernelManager  # noqa: E402

STEP = """component wait_long(n: Integer) {
    script sh \"\"\"
        %(trap)s
        (setsid sleep %(mark)s &)
        touch here
        while :; do sleep %(mark)s; done
    \"\"\"
}
pipeline p() {
    wait_long(n: 1)
    wait_long(n: 2)
}
"""


def processes(mark):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if mark.encode() in words:
            found.append(int(entry.name))
    return found


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Kernel:
    def __init__(self, folder, mode):
        self.manager = KernelManager()
        self.manager._kernel_spec = KernelSpec(argv=[tap.lateen(), "kernel", "-f", "{connection_file}"], language="lateen",
                                               display_name="Lateen", interrupt_mode=mode)
        environment = dict(os.environ, LATEEN_HOME=str(folder / ".lateen"))
        self.manager.start_kernel(cwd=str(folder), env=environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def pid(self):
        return self.manager.provisioner.process.pid

    def begin(self, code):
        self.client.execute(code)

    def reply(self):
        return self.client.get_shell_msg(timeout=60)["content"]

    def close(self):
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)


def started(kernel, mark, trap=":"):
    kernel.begin(STEP % {"mark": mark, "trap": trap})
    tap.is_(kernel.reply()["status"], "ok", "the cell is fine")
    kernel.begin("p()")
    tap.ok(until(lambda: len(processes(mark)) >= 3), "the steps and what they put into the background are there")


def check_interrupt(folder, mode, mark, trap):
    kernel = Kernel(folder, mode)
    started(kernel, mark, trap)
    kernel.manager.interrupt_kernel()
    reply = kernel.reply()
    tap.is_((reply["status"], reply.get("ename")), ("error", "KeyboardInterrupt"), f"interrupted by {mode}")
    tap.is_(processes(mark), [], "when the reply comes, no process is left")
    kernel.begin('print "still here"')
    tap.is_(kernel.reply()["status"], "ok", "and the kernel goes on")
    kernel.close()


def check_death(folder, mark):
    kernel = Kernel(folder, "signal")
    started(kernel, mark)
    os.kill(kernel.pid(), signal.SIGKILL)
    tap.ok(until(lambda: not processes(mark)), "after kill -9 of the kernel no process is left")
    kernel.close()


def check_restart(folder, mark):
    kernel = Kernel(folder, "signal")
    started(kernel, mark)
    kernel.manager.restart_kernel(now=True)
    tap.ok(until(lambda: not processes(mark)), "after a restart no process is left")
    kernel.close()


def check_shutdown(folder, mark):
    kernel = Kernel(folder, "message")
    started(kernel, mark)
    kernel.manager.shutdown_kernel(now=False)
    tap.ok(until(lambda: not processes(mark)), "after a shutdown no process is left")
    kernel.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        check_interrupt(folder, "signal", "71.000001", ":")
        check_interrupt(folder, "message", "71.000002", "trap '' TERM")
        check_death(folder, "71.000003")
        check_restart(folder, "71.000004")
        check_shutdown(folder, "71.000005")
    tap.done_testing()


main()
