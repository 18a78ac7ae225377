#!/usr/bin/env python3
"""Trainings that end where nobody wants it: killed at each stage of a checkpoint, on a full disk, two in one folder. Each time: a clear error, the
checkpoints from before, and a next start that goes on to the same bits as if nothing had been."""
import errno
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

BUILD = os.path.abspath(os.environ.get("builddir", "."))
STEP = BUILD + "/lateen-step"
FAIL_CALL = BUILD + "/tests/train/fail_call"
OPTIONS = {"data": "tokens", "tokenizer": "tokenizer.json", "batch_tokens": 512, "context": 128, "every": 5, "warmup": 5, "threads": 2}
BEFORE, ALL = 5, 10  # steps that have their checkpoint, and steps in all


def command(name, **options):
    return [STEP, name] + [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]


def run(argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, check=False, **more)


def train(folder, output, steps=ALL):
    return command("train", **OPTIONS, steps=steps, checkpoints=folder, output=output)


def make_data():
    for name, options in (("synthetic-issues", {"rows": 200, "output": "issues"}),
                          ("tokenizer", {"input": "issues", "vocab": 400, "output": "tokenizer.json"}),
                          ("tokenize", {"input": "issues", "tokenizer": "tokenizer.json", "output": "tokens"})):
        done = run(command(name, **options))
        tap.is_((done.returncode, done.stderr), (0, ""), name)
    for folder, output, steps in (("whole", "m-whole", ALL), ("before", "m-before", BEFORE)):
        done = run(train(folder, output, steps))
        tap.is_(done.returncode, 0, f"{steps} steps that nothing disturbs")


def weights(folder):
    return pathlib.Path(folder, "model.safetensors").read_bytes()


def begin(name):
    """A training with the checkpoint of its first steps."""
    shutil.copytree("before", name, symlinks=True)
    return next(pathlib.Path(name).iterdir())


def check_next(name, folder, what):
    """What every crash must leave."""
    tap.ok((folder / f"step-{BEFORE}/model.safetensors").exists(), f"{what}: the checkpoint from before is there")
    done = run(train(name, "m-" + name))
    tap.is_((done.returncode, done.stderr), (0, ""), f"{what}: the next start ends well")
    found = re.search(r"goes on behind step (\d+)", done.stdout)
    tap.ok(found and int(found.group(1)) in (BEFORE, ALL), f"{what}: goes on behind a checkpoint")
    tap.ok(weights("m-" + name) == weights("m-whole"), f"{what}: to the same bits")
    left = sorted(p.name for p in folder.iterdir() if p.name.endswith(".tmp") or "damaged" in p.name)
    tap.is_(left, [], f"{what}: nothing is left lying about")
    best = os.path.realpath(folder / "best")
    tap.ok(best == os.path.realpath(folder / f"step-{ALL}"), f"{what}: the best is the best")


def test_calls():
    """Each call that a checkpoint is made of fails, or is the last one."""
    if not os.path.exists(FAIL_CALL):
        tap.skip("no tests/train/fail_call")
        return
    for call in ("mkdir", "fsync", "rename", "symlink"):
        for how in ("kill", errno.ENOSPC, errno.EIO):
            what = f"{call}: {how if how == 'kill' else os.strerror(how)}"
            name = f"{call}-{how}"
            folder = begin(name)
            done = run([FAIL_CALL, call, str(how)] + train(name, "n-" + name))
            if done.returncode == 124:
                tap.skip("this kernel takes no filter of system calls")
                return
            if how == "kill":
                tap.is_(done.returncode, -signal.SIGSYS, f"{what}: it is gone")
            else:
                tap.is_(done.returncode, 1, f"{what}: it fails")
                tap.ok(re.search(r"^lateen-step: cannot [^\n]*`[^\n]*`[^\n]*: " + os.strerror(how) + "$", done.stderr), f"and says what: {done.stderr}")
            tap.ok(not os.path.exists("n-" + name), f"{what}: there is no model")
            check_next(name, folder, what)


def test_nth():
    """Killed at the first, second … fsync and rename of the training."""
    if not shutil.which("strace") or run(["strace", "-o", "/dev/null", "true"]).returncode:
        tap.skip("no strace, or it may not trace here")
        return
    for call, times in (("fsync", 9), ("rename", 3)):
        for n in range(1, times + 1):
            what, name = f"killed at {call} number {n}", f"nth-{call}-{n}"
            folder = begin(name)
            run(["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"] + train(name, "n-" + name))
            shutil.rmtree("n-" + name, ignore_errors=True)
            check_next(name, folder, what)


def limit_files(size, fatal):
    def limit():
        if not fatal:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def test_sizes():
    """No file may grow past a size: the write fails, or ends it."""
    size = len(weights("m-whole"))
    for fatal in (False, True):
        for share in (0.001, 0.5, 0.999, 1.2, 1.9):
            what = f"{'killed' if fatal else 'stopped'} after {share} of the weights"
            name = f"size-{fatal}-{share}"
            folder = begin(name)
            done = run(train(name, "n-" + name), preexec_fn=limit_files(int(size * share), fatal))
            if fatal:
                tap.is_(done.returncode, -signal.SIGXFSZ, f"{what}: it is gone")
            else:
                tap.is_(done.returncode, 1, f"{what}: it fails")
                tap.ok(re.search(r"cannot write `[^`]*(model|optimizer)\.safetensors`: (tensor `[^`]*`: )?File too large", done.stderr), f"and says what: {done.stderr}")
            check_next(name, folder, what)


def test_full_disk():
    """A disk of a few MiB."""
    os.mkdir("disk")
    if os.geteuid() or run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", "disk"]).returncode:
        tap.skip("no disk can be mounted here")
        return
    try:
        shutil.copytree("before", "disk/t", symlinks=True)
        folder = next(pathlib.Path("disk/t").iterdir())
        with open("disk/filler", "wb") as filler:
            filler.write(bytes(7 << 20))
        done = run(train("disk/t", "n-disk"))
        tap.is_(done.returncode, 1, "a full disk: it fails")
        tap.ok(re.search(r"cannot write `[^`]*safetensors`: (tensor `[^`]*`: )?No space left on device", done.stderr), f"and says so: {done.stderr}")
        os.unlink("disk/filler")
        done = run(train("disk/t", "m-disk"))
        tap.is_((done.returncode, done.stderr), (0, ""), "with room again it goes on")
        tap.contains(done.stdout, f"goes on behind step {BEFORE}", "from the checkpoint before")
        tap.ok(weights("m-disk") == weights("m-whole"), "to the same bits")
        tap.ok((folder / f"step-{ALL}").exists(), "and its checkpoint is there")
    finally:
        subprocess.run(["umount", "disk"], check=False)


def test_two():
    """The second is refused, and told who is there; when the first is gone, however it ended, it may."""
    options = {**OPTIONS, "steps": 1000000, "every": 1000000, "checkpoints": "two"}
    with subprocess.Popen(command("train", **options, output="t1"), stdout=subprocess.PIPE, text=True) as first:
        for line in first.stdout:
            if line.startswith("step "):
                break
        done = run(command("train", **options, output="t2"))
        tap.is_(done.returncode, 1, "a second training in the folder is refused")
        tap.contains(done.stderr, f"another training writes into `two/", "with the folder")
        tap.contains(done.stderr, f"process {first.pid};", "and the process")
        first.kill()
    done = run(train("two", "t3"))
    tap.is_((done.returncode, done.stderr), (0, ""), "when that is gone, it may")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_data()
        test_calls()
        test_nth()
        test_sizes()
        test_full_disk()
        test_two()
        os.chdir("/")
    tap.done_testing()


main()
