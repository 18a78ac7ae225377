#!/usr/bin/env python3
"""The command line: what each command prints, where, and with which exit status (0 good, 1 the program is wrong or the run
failed, 2 wrong use, 3 the world failed). Cases as data; what wants more than that stands below them."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

GOOD = """component hello(who: String) -> (text: String) {
    script  sh \"\"\" printf 'hello, %s' "$who" > "$out_text" \"\"\"
}

pipeline greet(who: String = "world", times: Integer = 1) {
    settings { default_image "alpine:3.20" }
    hello(who)
}
"""
TWO = GOOD + "\npipeline other() {\n    settings { default_image \"alpine:3.20\" }\n    hello(who: \"x\")\n}\n"
BAD = GOOD.replace("hello(who)", "helo(who)")
FAILING = """component no() {
    script sh \"\"\"echo before; echo trouble >&2; exit 7\"\"\"
}

pipeline fails() {
    no()
}
"""
UGLY = GOOD.replace("    hello(who)", "  hello( who )   # says it")

USING = """component load() -> (rows: Integer) { script sh \"\"\"exit 1\"\"\" }
component quick() -> (n: Integer) { script sh \"\"\"seq 7 | wc -l > "$out_n" \"\"\" }
component tell(x: Integer = 1) { script sh \"\"\"test "$x" = 7 \"\"\" }
pipeline p() {
    settings { default_image "alpine:3.20" }
    loaded = load()
    tell(loaded)
}
"""

SWEEP = USING + """for x in [7, 1] { tell(x) }
"""

# (arguments, standard input or None, exit status, part of stdout, part of stderr); None: must be empty
CASES = [
    (["--version"], None, 0, "lateen ", None),
    (["--help"], None, 0, "usage: lateen COMMAND", None),
    ([], None, 2, "usage: lateen COMMAND", None),
    (["frobnicate"], None, 2, None, "no command `frobnicate`"),
    (["chekc"], None, 2, None, "did you mean `check`?"),
    (["check"], None, 2, None, "usage: lateen check"),
    (["check", "--wrong", "good.lateen"], None, 2, None, "usage: lateen check"),
    (["check", "good.lateen"], None, 0, None, None),
    (["check", "bad.lateen"], None, 1, "`helo`", None),
    (["check", "-"], GOOD, 0, None, None),
    (["check", "-"], BAD, 1, "--> -:7:5", None),
    (["check", "--html", "bad.lateen"], None, 1, "<", None),
    (["check", "missing.lateen"], None, 3, None, "cannot open `missing.lateen`"),
    (["check", "."], None, 3, None, "not a file"),
    (["check", "unreadable_use.lateen"], None, 1, "nowhere.yaml", None),
    (["compile", "good.lateen"], None, 0, "apiVersion: argoproj.io/v1alpha1", None),
    (["compile", "bad.lateen"], None, 1, None, "`helo`"),
    (["compile", "two.lateen"], None, 2, None, "several pipelines"),
    (["compile", "two.lateen", "-p", "other"], None, 0, "generateName: other-", None),
    (["compile", "two.lateen", "-p", "none"], None, 2, None, "no pipeline `none`"),
    (["compile", "--for", "airflow", "good.lateen"], None, 2, None, "there are `argo` and `kfp`"),
    (["compile", "good.lateen", "-o", "out.txt"], None, 2, None, ".yaml, .json, .tar.gz or .zip"),
    (["compile", "good.lateen", "-o", "no/such/folder.yaml"], None, 3, None, "cannot write"),
    (["graph", "good.lateen"], None, 0, "hello", None),
    (["graph", "good.lateen", "-o", "x.bmp"], None, 2, None, ".svg, .json or .txt"),
    (["fmt", "--check", "good.lateen"], None, 0, None, None),
    (["fmt", "--check", "ugly.lateen"], None, 1, "ugly.lateen", None),
    (["fmt", "-"], UGLY, 0, "# says it", None),
    (["fmt", "-"], BAD.replace("{", "", 1), 1, None, "error[L01"),
    (["component", "component.yaml"], None, 0, "Say it", None),
    (["component", "good.lateen"], None, 1, None, "error[L05"),
    (["component", "missing.yaml"], None, 3, None, "cannot open"),
    (["explain", "L0900"], None, 0, "not in this version", None),
    (["explain", "l0900"], None, 0, "not in this version", None),
    (["explain", "L9999"], None, 2, None, "no problem has the code"),
    (["explain"], None, 2, None, "usage: lateen explain"),
    (["run", "good.lateen", "who=you"], None, 0, "Succeeded", None),
    (["run", "good.lateen", "who=me"], None, 0, 'String = "me"', None),
    (["run", "good.lateen", "--using", "hello=hello"], None, 0, "Succeeded", None),
    (["run", "using.lateen", "--using", "load = quick"], None, 0, "Succeeded", None),
    (["run", "using.lateen"], None, 1, "Failed", "error[L0701]"),
    (["run", "using.lateen", "--using", "load=tell"], None, 1, None, "error[L0422]: `tell` has no output `rows`"),
    (["run", "using.lateen", "--using", "laod=quick"], None, 1, None, "error[L0419]: no step of the pipeline `p` calls `laod`"),
    (["run", "using.lateen", "--using", "load=quick\nload()"], None, 1, None, "error[L0419]"),
    (["run", "using.lateen", "--using", "load"], None, 1, None, "error[L01"),
    (["exec", "sweep.lateen"], None, 1, "7  Succeeded", "1 of the 2 items of the sweep failed: `1`"),
    (["compile", "using.lateen", "--using", "load=quick"], None, 0, "seq 7", None),
    (["run", "good.lateen", "whom=you"], None, 2, None, "no parameter `whom`: it has `who`, `times`"),
    (["run", "good.lateen", "times=many"], None, 2, None, "`times`"),
    (["run", "--jobs", "0", "good.lateen"], None, 2, None, "--jobs wants a whole number"),
    (["run", "failing.lateen"], None, 1, "Failed", "exit code 7"),
    (["exec", "-"], "print 1 + 1\n", 0, "2\n", None),
    (["exec", "-"], "print \"a\"\nprint b\n", 1, "a\n", "--> -:2:7"),
    (["exec", "-"], "component a() { script sh \"\"\"\n    one\n      two\n    \"\"\" }\na\n", 0,
     "  script   one\n             two\n", None),  # was squeezed into one line
    # the marks of a cell that does not begin in the file's first line were at the wrong place, read past the end of a table
    (["exec", "-"], "a = 1\nb = 2\n\nhelp nope\n", 1, None, "4 | help nope\n  | ^^^^^^^^^\n"),
    (["exec", "-"], "a = 1\nb = 2\n\nprint a +\n  nope\n", 1, None, "5 |   nope\n  |   ^^^^\n"),
    (["check", "-"], "\ufeffx = nope\n", 1, "--> -:1:5\n  |\n1 | x = nope\n  |     ^^^^\n", None),  # the mark was in line and column
    (["exec", "-"], "help retry\n", 0, "setting: retry N", None),  # was the verb's only, which does not work yet
    (["exec", "-"], "help\nprint 1\n", 0, "verbs:\n  assert", None),  # was "wants something behind it"
    (["exec", "-"], "assert 1 == 2, \"sums\"\n", 1, None, "assertion failed: sums"),
    (["exec", "-"], "input(\"name? \")\n", 1, None, "no answer"),
    (["exec", "-"], "!echo out; echo err >&2; exit 3\n", 0, "out\n", "exit status 3"),
    (["stop", "nothing"], None, 1, None, "no run"),
    (["logs", "nothing"], None, 1, None, "no run"),
    (["attach", "nothing"], None, 1, None, "L0808"),
    (["wait", "nothing"], None, 1, None, "--on TARGET"),
    (["retry", "nothing", "--from", "x"], None, 1, None, "L0808"),
    (["delete", "nothing"], None, 1, None, "L0808"),
    (["open", "nothing"], None, 1, None, "L0808"),
    (["stop", "x", "--on", "nowhere"], None, 2, None, "no cluster `nowhere`: no program was named"),
    (["runs", "--on", "nowhere", "--file", "-"], "cluster prod { context \"c\" }", 2, None, "the program declares `prod`"),
    (["runs", "--on", "x", "--file", "-"], "cluster x {", 1, None, "L01"),
    (["forward", "x", "80"], None, 2, None, "RUN.STEP PORT"),
    (["forward", "x.y", "80000"], None, 2, None, "from 1 to 65535"),
    (["forward", "x.y", "80"], None, 1, None, "L0808"),
    (["prepare"], None, 2, None, "wants --on NAME"),
    (["cleanup"], None, 2, None, "wants --on NAME"),
    (["upload", "x.yaml"], None, 2, None, "wants --on NAME"),
    (["schedule", "-"], "component c() { image \"x\" }\npipeline p() { c() }", 2, None, "wants --on NAME"),
    (["run", "-", "--detach"], "component c() { image \"x\" }\npipeline p() { c() }", 2, None, "--detach is for runs on clusters"),
    (["kernel"], None, 2, None, "-f FILE"),
    (["kernel", "-f", "missing/connection.json"], None, 3, None, "connection"),
    (["kernel", "install", "--user", "--prefix", "x"], None, 2, None, "exclude each other"),
    (["help", "compile"], None, 0, "--for TARGET", None),
    (["help", "nothing"], None, 2, None, "no command `nothing`"),
]

COMPONENT = """name: Say it
inputs: [{name: What to say, type: String}]
outputs: [{name: said}]
implementation:
  container:
    image: alpine:3.20
    command: [sh, -c, 'echo "$0" > "$1"', {inputValue: What to say}, {outputPath: said}]
"""


def lateen(arguments, text=None, env=None):
    return subprocess.run([tap.lateen(), *arguments], input=text if text is not None else "", capture_output=True, text=True,
                          timeout=120, check=False, env=dict(os.environ, NO_COLOR="1", **(env or {})))


def expect(text, part, name):
    if part is None:
        tap.is_(text, "", f"{name} is empty")
    else:
        tap.contains(text, part, f"{name} holds `{part.strip()}`")


def check_cases():
    for arguments, text, status, out, err in CASES:
        done = lateen(arguments, text)
        name = "lateen " + " ".join(arguments)
        if not tap.is_(done.returncode, status, f"{name}: exit status"):
            tap.note(done.stdout + done.stderr)
        expect(done.stdout, out, f"{name}: standard output")
        expect(done.stderr, err, f"{name}: standard error")


def check_json():
    problems = json.loads(lateen(["check", "--json", "bad.lateen"]).stdout)
    tap.is_(len(problems), 1, "check --json: one problem")
    problem = problems[0]
    tap.ok({"code", "end", "fixes", "helps", "labels", "message", "severity", "start"} <= set(problem), "its members")
    tap.is_(problem["start"], {"line": 7, "column": 5}, "its place, 1-based")
    tap.is_(problem["fixes"][0]["replacement"], "hello", "and its fix")
    tap.is_(json.loads(lateen(["check", "--json", "good.lateen"]).stdout), [], "no problems: an empty array")


def check_packages():
    for name in ("out.yaml", "out.json", "out.tar.gz", "out.zip"):
        done = lateen(["compile", "good.lateen", "-o", name])
        tap.is_((done.returncode, done.stdout), (0, ""), f"compile to {name}")
        first = pathlib.Path(name).read_bytes()
        lateen(["compile", "good.lateen", "-o", name])
        tap.ok(first == pathlib.Path(name).read_bytes(), f"{name} is the same to the byte each time")
    with tarfile.open("out.tar.gz") as archive:
        tap.is_(archive.getnames(), ["pipeline.yaml"], "the archive holds one file")
    with zipfile.ZipFile("out.zip") as archive:
        tap.is_(archive.namelist(), ["pipeline.yaml"], "so does the zip")
    tap.is_(json.loads(pathlib.Path("out.json").read_text())["kind"], "Workflow", "JSON is JSON")


def check_run():
    done = lateen(["run", "--json", "good.lateen", "who=you"])
    result = json.loads(done.stdout)
    tap.ok({"id", "outputs", "phase", "steps"} <= set(result), "run --json: its members")
    step = result["steps"][0]
    tap.is_(step["outputs"], {"text": "hello, you"}, "a step's outputs")
    tap.is_((step["name"], step["phase"], step["attempts"], step["exit_code"]), ("hello", "Succeeded", 1, 0), "and how it went")
    done = lateen(["run", "--json", "failing.lateen"])
    result = json.loads(done.stdout)
    tap.is_((result["phase"], result["steps"][0]["exit_code"]), ("Failed", 7), "a failed run says so")
    done = lateen(["run", "failing.lateen"])
    tap.contains(done.stdout + done.stderr, "trouble", "a failed step's last lines are shown")
    tap.contains(done.stdout + done.stderr, "failing.lateen:6", "and the line that made it")
    done = lateen(["runs"])
    tap.contains(done.stdout, "greet", "runs lists what ran")
    done = lateen(["runs", "--json"])
    runs = json.loads(done.stdout)
    tap.ok(any(r["phase"] == "Failed" for r in runs), "runs --json has phases")
    failed = next(r for r in runs if r["phase"] == "Failed")
    tap.contains(lateen(["logs", failed["id"]]).stdout, "before", "logs of a run")
    tap.contains(lateen(["logs", failed["id"] + ".no", "--grep", "trouble"]).stdout, "trouble", "logs of a step, with grep")
    done = lateen(["logs", failed["id"] + ".no", "--grep", "nothing of it"])
    tap.contains(done.stderr, "wrote no line with that text", "a log without anything was no word at all")
    tap.ok("before" not in lateen(["logs", failed["id"], "--grep", "trouble"]).stdout, "grep leaves out the rest")


def check_fmt_in_place():
    lateen(["fmt", "ugly.lateen"])
    once = pathlib.Path("ugly.lateen").read_text()
    lateen(["fmt", "ugly.lateen"])
    tap.is_(pathlib.Path("ugly.lateen").read_text(), once, "fmt is a fixed point")
    tap.contains(once, "# says it", "and keeps comments")
    tap.is_(lateen(["compile", "ugly.lateen"]).stdout, lateen(["compile", "good.lateen"]).stdout, "a formatted program compiles to the same")


def check_component_json():
    shown = json.loads(lateen(["component", "--json", "component.yaml"]).stdout)
    tap.is_([shown["name"], shown["image"], shown["inputs"][0]["name"], shown["outputs"][0]["name"]],
            ["Say it", "alpine:3.20", "What to say", "said"], "component --json has names as in the file")


def check_kernel_install():
    done = lateen(["kernel", "install", "--prefix", "prefix"])
    tap.is_(done.returncode, 0, "kernel install --prefix")
    spec = json.loads(pathlib.Path("prefix/share/jupyter/kernels/lateen/kernel.json").read_text())
    tap.is_(spec["argv"][1:], ["kernel", "-f", "{connection_file}"], "the kernelspec starts `lateen kernel -f FILE`")


STUBBORN = """component stays(folder: String) {
    script sh \"\"\"trap 'echo > "$folder/told"' TERM; echo > "$folder/begun"; while :; do sleep 0.05; done\"\"\"
}

pipeline stubborn(folder: String) {
    stays(folder)
}
"""


def await_file(name):
    for _ in range(600):
        if pathlib.Path(name).exists():
            return True
        time.sleep(0.05)
    return False


def check_second_interrupt():
    """The second interrupt was not heard: a step that stays had its ten seconds, whatever the person did."""
    pathlib.Path("stubborn.lateen").write_text(STUBBORN, encoding="utf-8")
    with subprocess.Popen([tap.lateen(), "run", "stubborn.lateen", f"folder={os.getcwd()}"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        tap.ok(await_file("begun"), "the step begins")
        process.send_signal(signal.SIGINT)
        tap.ok(await_file("told"), "an interrupt asks it to end")
        process.send_signal(signal.SIGINT)
        try:
            tap.is_(process.wait(timeout=9), 1, "the second ends it")
        except subprocess.TimeoutExpired:
            process.kill()
            tap.ok(False, "the second ends it, before the step's ten seconds are over")
        tap.contains(process.stderr.read(), "stopped", "and the run is said to be stopped")


def check_output_that_fails():
    """A full disk passed for a success, and with standard output closed the run store took its number and what was printed."""
    for arguments in (["help"], ["explain", "L0900"], ["run", "good.lateen"], ["graph", "good.lateen"], ["runs"], ["exec", "print.lateen"]):
        for where, how in (("/dev/full", "full"), ("&-", "closed")):
            if where == "/dev/full" and not os.path.exists(where):
                continue
            done = subprocess.run(["sh", "-c", f'exec "$@" >{where}', "sh", tap.lateen(), *arguments], capture_output=True, text=True,
                                  timeout=60, check=False)
            name = f"lateen {' '.join(arguments)} to a {how} standard output"
            tap.is_(done.returncode, 3, f"{name}: the world failed")
            tap.contains(done.stderr, "cannot write to standard output", f"{name} says so")
    tap.is_(lateen(["runs"]).returncode, 0, "the run store is whole after that")


def check_pictures():
    for name, begins in (("g.svg", "<svg"), ("g.json", "{"), ("g.txt", "greet")):
        done = lateen(["graph", "good.lateen", "-o", name])
        tap.is_(done.returncode, 0, f"graph to {name}")
        tap.contains(pathlib.Path(name).read_text(), begins, f"{name} is what it should be")


def processes_with(mark):
    """Numbers of living processes whose command line holds the mark."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if mark.encode() in words and state != "Z":
            found.append(folder.name)
    return found


def check_killed_shell():
    """`kill -9` of the program left the children of a `!` command behind."""
    mark = f"6{os.getpid()}.25"
    with subprocess.Popen([tap.lateen(), "exec", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        running.stdin.write(f"!sleep {mark} & echo up; sleep {mark}\n")
        running.stdin.close()
        tap.is_(running.stdout.readline(), "up\n", "a shell with two children runs")
        running.kill()
        for _ in range(200):
            if not processes_with(mark):
                break
            time.sleep(0.05)
    tap.is_(processes_with(mark), [], "and none of them outlives the program")


def check_interrupted_run():
    """A run that a person stopped was told as a step that failed."""
    text = 'component wait() {\n    script sh """ echo waiting; sleep 60 """\n}\n\npipeline p() {\n    wait()\n}\n'
    pathlib.Path("wait.lateen").write_text(text, encoding="utf-8")
    with subprocess.Popen([tap.lateen(), "run", "wait.lateen"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        for _ in range(200):
            if "waiting" in lateen(["logs", "last"]).stdout:
                break
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    tap.is_(running.returncode, 1, "an interrupted run: exit status")
    tap.contains(err, "lateen: stopped", "it says that it was stopped")
    tap.ok("error[" not in err, "and calls it no error of the program")
    tap.contains(out, "wait", "the steps are shown as they are")


def check_texts_from_the_table():
    tap.contains(lateen(["help", "--man"]).stdout, ".TH LATEEN 1", "the man page")
    for shell in ("bash", "zsh"):
        tap.contains(lateen(["help", f"--{shell}"]).stdout, "_lateen", f"completion for {shell}")


CODELAB = """
gh_summ                                          # draws the graph, and lists parameters and problems
compile gh_summ to "gh_summ.yaml"                # Argo YAML; "gh_summ.tar.gz" for a Kubeflow package
cluster prod { context "gke_my-project_us-central1_pipelines", kind kfp }
r = start gh_summ(working_dir: "gs://my-bucket/codelab") on prod      # a live graph; the notebook stays free
logs r.trained follow
"""


def check_codelab():
    """The lines that the language was designed by, as they stand there."""
    root = pathlib.Path(tap.source_dir())
    subprocess.run([sys.executable, root / "notebooks" / "data.py", "--offline", "."], check=True, stdout=subprocess.DEVNULL)
    program = (root / "docs" / "examples" / "gh_summ.lateen").read_text(encoding="utf-8") + CODELAB
    done = lateen(["check", "-"], program)
    tap.is_((done.returncode, done.stdout), (0, ""), "the codelab's pipeline on a cluster is a good program")
    done = lateen(["exec", "-"], program, env=dict(os.environ, KUBECONFIG="/nonexistent", HOME="/nonexistent"))
    tap.ok(done.returncode == 1 and "L1002" in done.stderr, "without a kubeconfig it is said that there is none")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, text in (("good", GOOD), ("bad", BAD), ("two", TWO), ("failing", FAILING), ("ugly", UGLY), ("using", USING), ("sweep", SWEEP), ("print", "print 1\n"),
                           ("unreadable_use", 'use x from "nowhere.yaml"\n')):
            pathlib.Path(f"{name}.lateen").write_text(text, encoding="utf-8")
        pathlib.Path("component.yaml").write_text(COMPONENT, encoding="utf-8")
        check_cases()
        check_json()
        check_packages()
        check_run()
        check_fmt_in_place()
        check_component_json()
        check_kernel_install()
        check_second_interrupt()
        check_output_that_fails()
        check_pictures()
        check_texts_from_the_table()
        check_killed_shell()
        check_interrupted_run()
        check_codelab()
        os.chdir("/")
    tap.done_testing()


main()
