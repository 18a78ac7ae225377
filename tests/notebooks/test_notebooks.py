#!/usr/bin/env python3
"""The notebooks are executed by nbclient with the real kernel, and what they put out has substance; exported as a script,
they run on the command line."""
import base64
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

tap.need("nbclient", "nbformat", "nbconvert")
import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbconvert import ScriptExporter  # noqa: E402

SOURCE = pathlib.Path(tap.source_dir(), "notebooks")
# A tenth of the training, so that a run of all tests stays short.
LESS = ('size: "tiny",  steps: 400,   trial: 100,  batch: 2048', 'size: "tiny",  steps: 30,   trial: 10,  batch: 512')


def prepare(folder):
    home = folder + "/home"
    os.makedirs(home)
    os.environ.update(HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home)
    subprocess.run([sys.executable, SOURCE / "data.py", "--offline", folder], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([tap.lateen(), "kernel", "install", "--prefix", folder], check=True, stdout=subprocess.DEVNULL)
    os.environ["JUPYTER_PATH"] = folder + "/share/jupyter"
    os.chdir(folder)


def with_less(notebook):
    for code_cell in notebook.cells:
        code_cell.source = code_cell.source.replace(*LESS)
    return notebook


def execute(name, folder):
    notebook = nbformat.read(SOURCE / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    with_less(notebook)
    client = NotebookClient(notebook, timeout=120, kernel_name="lateen", resources={"metadata": {"path": folder}})
    try:
        client.execute()
    except Exception as problem:  # pylint: disable=broad-except
        tap.fail(f"{name} is executed", str(problem))
        return None
    tap.ok(True, f"{name} is executed")
    return notebook


def cell(notebook, part):
    """The first code cell whose source holds that text."""
    return next(c for c in notebook.cells if c.cell_type == "code" and part in c.source)


def shown(code_cell, mime):
    texts = []
    for output in code_cell.outputs:
        if mime == "stream" and output.output_type == "stream":
            texts.append(output.text)
        elif mime in output.get("data", {}):
            texts.append(output.data[mime] if isinstance(output.data[mime], str) else str(output.data[mime]))
    return "".join(texts)


def is_svg_image(html):
    mark = "data:image/svg+xml;base64,"
    if mark not in html:
        return False
    code = html.split(mark, 1)[1].split('"', 1)[0]
    return b"<svg" in base64.b64decode(code)


def check_summarization(notebook):
    graph = next(c for c in notebook.cells if c.source.strip() == "gh_summ")
    for part in ("copied", "trained", "served", "webapp"):
        tap.contains(shown(graph, "text/plain"), part, f"the graph shows {part}")
    tap.ok(is_svg_image(shown(graph, "text/html")), "and is a picture")
    tap.contains(shown(cell(notebook, "compile gh_summ"), "stream"), "wrote gh_summ.yaml", "the YAML is written")
    yaml = pathlib.Path("gh_summ.yaml").read_text(encoding="utf-8")
    tap.contains(yaml, "nvidia.com/gpu: ", "with the GPU that training wants")
    tap.contains(yaml, "secretKeyRef", "and the token as a reference")
    count = shown(cell(notebook, "issues were read"), "stream")
    tap.contains(count, " issues were read", "issues were counted")
    tap.ok(count and int(count.split()[0]) > 100, "more than a few")
    run = cell(notebook, "r = explore")
    tap.contains(shown(run, "text/plain"), "Succeeded", "the run succeeded, and the saved notebook says so")
    tap.contains(shown(cell(notebook, "r.words"), "text/html"), "<table", "a table of words")
    chart = cell(notebook, "r.chart")
    tap.ok(is_svg_image(shown(chart, "text/html")) or "<svg" in shown(chart, "image/svg+xml"), "a chart")
    check_training(notebook)
    mistake = cell(notebook, "trian")
    errors = [o for o in mistake.outputs if o.output_type == "error"]
    tap.is_(len(errors), 1, "the mistyped name is one error")
    tap.contains("\n".join(errors[0].traceback), "trained", "that names what was meant")


def chart_of(html):
    """The last picture of the cell, as SVG."""
    codes = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", html)
    return base64.b64decode(codes[-1]).decode() if codes else ""


def check_training(notebook):
    tap.ok(any(LESS[1] in c.source for c in notebook.cells), "the notebook trains less than for its readers")
    sweep = cell(notebook, "for lr in")
    tap.is_(len(re.findall(r"^0\.\d+ +Succeeded", shown(sweep, "text/plain"), re.MULTILINE)), 3, "three rates, a row for each")
    chart = chart_of(shown(sweep, "text/html"))
    tap.ok(all(f"lr {rate}: " in chart for rate in ("0.0003", "0.001", "0.003")), "and a line for each in one chart")
    training = cell(notebook, "learnt = std.train")
    tap.contains(shown(training, "stream"), "goes on behind step 10", "the training goes on from the trial with its rate")
    tap.contains(shown(training, "text/plain"), "train: step 30 of 30, loss ", "to the end")
    chart = chart_of(shown(training, "text/html"))
    tap.ok(">loss " in chart and ">dev loss " in chart, "its chart has both losses")
    tap.ok("<circle" in chart and re.search(r'class="w s0" d="M[\d. ]+L', chart), "as a line and as points")
    tap.contains(shown(cell(notebook, "made.titles"), "text/html"), "reference", "titles beside those of the authors")
    tap.contains(shown(cell(notebook, "worth.table"), "text/markdown"), "first 12 words", "scores beside the baseline")
    tap.contains(shown(cell(notebook, "loss on dev"), "stream"), "ROUGE-L", "numbers as values")


def check_tour(notebook):
    for code_cell in notebook.cells:
        if code_cell.cell_type != "code":
            continue
        tap.ok(not any(o.output_type == "error" for o in code_cell.outputs), f"no error: {code_cell.source[:40]!r}")
    tap.contains(shown(cell(notebook, "hello.text"), "text/plain"), "hello, reader", "a step's output")
    tap.contains(shown(cell(notebook, "stubborn()"), "text/plain"), "Succeeded", "a retried step succeeds")


def check_script(name, folder, last_line_is_wrong):
    text, _ = ScriptExporter().from_notebook_node(with_less(nbformat.read(SOURCE / f"{name}.ipynb", as_version=4)))
    pathlib.Path(folder, f"{name}.lateen").write_text(text, encoding="utf-8")
    done = subprocess.run([tap.lateen(), "exec", f"{name}.lateen"], capture_output=True, text=True, timeout=300, check=False)
    if last_line_is_wrong:
        tap.is_(done.returncode, 1, f"{name} as a script ends with its mistyped name")
        tap.contains(done.stderr, "trian", "which is shown")
        tap.contains(done.stdout, "issues were read", "after everything before it ran")
    elif not tap.is_(done.returncode, 0, f"{name} as a script runs"):
        tap.note(done.stdout[-2000:] + done.stderr[-2000:])


def main():
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        notebook = execute("issue_summarization", folder)
        if notebook:
            check_summarization(notebook)
            check_script("issue_summarization", folder, True)
        notebook = execute("tour", folder)
        if notebook:
            check_tour(notebook)
            check_script("tour", folder, False)
        os.chdir("/")
    tap.done_testing()


main()
