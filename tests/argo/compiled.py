"""Programs through `lateen compile`, for the tests beside this file."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import tap  # noqa: E402

LATEEN = os.environ.get("LATEEN", "lateen")
SHARED = os.environ.get("LATEEN_SHARED")


def shared(name):
    """A file or folder below LATEEN_SHARED; None where it is not."""
    path = pathlib.Path(SHARED, name) if SHARED else None
    return path if path and path.exists() else None


def yaml_text(program, target="argo", pipeline=None):
    """(text, complaints): the workflow of a program's text or file; text is None when it does not compile."""
    path = pathlib.Path(program) if isinstance(program, pathlib.Path) else None
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = pathlib.Path(folder, "program.lateen")
            path.write_text(program, encoding="utf-8")
        command = [LATEEN, "compile", str(path), "--for", target, "-o", "-"] + (["-p", pipeline] if pipeline else [])
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    text = done.stdout.decode("utf-8") if done.returncode == 0 else None
    return text, done.stderr.decode("utf-8", "replace")


def workflow(program, target="argo", pipeline=None):
    """The workflow as data, or None after a failed assertion."""
    import yaml
    text, complaints = yaml_text(program, target, pipeline)
    if text is None:
        name = program.name if isinstance(program, pathlib.Path) else program.strip().splitlines()[0]
        tap.fail(f"{name} compiles for {target}", complaints)
        return None
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def beside(program, **folders):
    """(path, folder that goes when it is cleaned up): a copy of the program with the folders linked beside it."""
    folder = tempfile.TemporaryDirectory()
    copy = pathlib.Path(folder.name, program.name)
    copy.write_bytes(program.read_bytes())
    for name, target in folders.items():
        pathlib.Path(folder.name, name).symlink_to(target.resolve())
    return copy, folder
