#!/usr/bin/env python3
"""10,000 executes, each redefining a ten-step pipeline: how much the kernel's resident memory grows over the last 9,000.

    bench/soak.py [--executes N]     needs jupyter_client; LATEEN names the program (default build/lateen)
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

from jupyter_client.manager import KernelManager

ROOT = pathlib.Path(__file__).resolve().parents[1]
LATEEN = os.environ.get("LATEEN", str(ROOT / "build/lateen"))


def program(i):
    steps = "".join(f"    s{k} = step(x: \"{i}-{k}\")" + (f" after s{k - 1}\n" if k else "\n") for k in range(10))
    return f"component step(x: String) {{\n    image \"alpine\"\n    args [x]\n}}\n\npipeline ten(p{i}: String = \"a\") {{\n{steps}}}\n"


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executes", type=int, default=10000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_DATA_HOME=folder, JUPYTER_PATH=folder + "/share/jupyter")
        subprocess.run([LATEEN, "kernel", "install", "--prefix", folder], check=True, stdout=subprocess.DEVNULL)
        manager = KernelManager(kernel_name="lateen")
        manager.start_kernel(cwd=folder)
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=30)
        pid = manager.provisioner.process.pid
        seen = {}
        for i in range(1, args.executes + 1):
            reply = client.execute(program(i), reply=True, timeout=30, store_history=True)
            if reply["content"]["status"] != "ok":
                raise RuntimeError(reply["content"])
            while client.iopub_channel.msg_ready():  # a reader that does not read makes any kernel keep what it may not drop
                client.iopub_channel.get_msg()
            if i in (args.executes // 10, args.executes):
                seen[i] = resident_kib(pid)
        client.stop_channels()
        manager.shutdown_kernel()
    first, last = seen[args.executes // 10], seen[args.executes]
    print(f"resident after {args.executes // 10:,} executes: {first:,} KiB; after {args.executes:,}: {last:,} KiB; grew {last - first:,} KiB")


main()
