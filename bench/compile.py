#!/usr/bin/env python3
"""Process start to YAML, against Hera and the Kubeflow Pipelines SDK 1.8, in one run: the codelab's pipeline, and one of
10,000 steps; and how parsing, checking, compiling and laying out grow from 1,000 to 10,000 steps.

    bench/compile.py [--runs N] [--steps N] --hera PYTHON --kfp PYTHON

PYTHON is an interpreter that has the peer (bench/setup makes both). Without one the row says `not run`. Prints the best
of several runs in seconds, in brackets the time that a processor was busy with it (which another load changes less), and
ratios, peer over Lateen.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
LATEEN = os.environ.get("LATEEN", str(ROOT / "build/lateen"))

CODELAB_HERA = """
from hera.workflows import DAG, Container, Parameter, Task, Workflow, Resources, RetryStrategy
T2T = "gcr.io/google-samples/ml-pipeline-t2ttrain:v3ap"
with Workflow(generate_name="github-issue-summarization-", entrypoint="main", service_account_name="pipeline-runner",
              arguments=[Parameter(name=n, value=v) for n, v in (("train_steps", "2019300"), ("github_token", "x"),
                         ("working_dir", "gs://x"), ("checkpoint_dir", "gs://y"), ("deploy_webapp", "true"), ("data_dir", "gs://z"))]) as w:
    copy = Container(name="copydata", image=T2T, inputs=[Parameter(name=n) for n in ("data_dir", "checkpoint_dir", "model_dir")],
                     args=["--data-dir", "{{inputs.parameters.data_dir}}", "--checkpoint-dir", "{{inputs.parameters.checkpoint_dir}}",
                           "--action", "copy_data", "--model-dir", "{{inputs.parameters.model_dir}}", "--copy-output-path", "/tmp/o"],
                     outputs=[Parameter(name="copy_output_path", value_from={"path": "/tmp/o"})])
    train = Container(name="train", image=T2T, inputs=[Parameter(name=n) for n in ("data_dir", "model_dir", "train_steps", "deploy_webapp")],
                      args=["--data-dir", "{{inputs.parameters.data_dir}}", "--action", "train", "--model-dir",
                            "{{inputs.parameters.model_dir}}", "--train-steps", "{{inputs.parameters.train_steps}}", "--deploy-webapp",
                            "{{inputs.parameters.deploy_webapp}}", "--train-output-path", "/tmp/o"],
                      resources=Resources(gpus=1), retry_strategy=RetryStrategy(limit=5),
                      outputs=[Parameter(name="launch_server", value_from={"path": "/tmp/output"}),
                               Parameter(name="train_output_path", value_from={"path": "/tmp/o"})])
    serve = Container(name="serve", image="gcr.io/google-samples/ml-pipeline-kubeflow-tfserve:v6", inputs=[Parameter(name="path")],
                      args=["--model_name", "ghsumm-{{workflow.uid}}", "--model_path", "{{inputs.parameters.path}}"])
    webapp = Container(name="webapp", image="gcr.io/google-samples/ml-pipeline-webapp-launcher:v1", inputs=[Parameter(name="token")],
                       args=["--model_name", "ghsumm-{{workflow.uid}}", "--github_token", "{{inputs.parameters.token}}"])
    with DAG(name="main"):
        p = "{{workflow.parameters.%s}}"
        c = copy(name="copied", arguments={"data_dir": p % "data_dir", "checkpoint_dir": p % "checkpoint_dir", "model_dir": p % "working_dir"})
        t = train(name="trained", arguments={"data_dir": p % "data_dir", "model_dir": c.get_parameter("copy_output_path").value,
                  "train_steps": p % "train_steps", "deploy_webapp": p % "deploy_webapp"})
        s = serve(name="served", arguments={"path": t.get_parameter("train_output_path").value})
        a = webapp(name="webapp", arguments={"token": p % "github_token"}, when="{{tasks.trained.outputs.parameters.launch_server}} == true")
        c >> t >> s >> a
open(OUT, "w").write(w.to_yaml())
"""

CODELAB_KFP = """
import kfp
from kfp import compiler, components, dsl, gcp
copydata = components.load_component_from_file(DATA + "/datacopy_component.yaml")
train_op = components.load_component_from_file(DATA + "/train_component.yaml")
@dsl.pipeline(name="Github issue summarization", description="Demonstrate Tensor2Tensor-based training and TF-Serving")
def gh_summ(train_steps: "Integer" = 2019300, github_token: str = "x", working_dir: "GCSPath" = "gs://x",
            checkpoint_dir: "GCSPath" = "gs://y", deploy_webapp: str = "true", data_dir: "GCSPath" = "gs://z"):
    c = copydata(data_dir=data_dir, checkpoint_dir=checkpoint_dir, model_dir="%s/%s/model_output" % (working_dir, dsl.RUN_ID_PLACEHOLDER),
                 action="copy_data")
    t = train_op(data_dir=data_dir, model_dir=c.outputs["copy_output_path"], action="train", train_steps=train_steps,
                 deploy_webapp=deploy_webapp)
    t.set_gpu_limit(1).apply(gcp.use_preemptible_nodepool()).set_retry(5)
    s = dsl.ContainerOp(name="serve", image="gcr.io/google-samples/ml-pipeline-kubeflow-tfserve:v6",
                        arguments=["--model_name", "ghsumm-%s" % dsl.RUN_ID_PLACEHOLDER, "--model_path", t.outputs["train_output_path"]])
    with dsl.Condition(t.outputs["launch_server"] == "true"):
        dsl.ContainerOp(name="webapp", image="gcr.io/google-samples/ml-pipeline-webapp-launcher:v1",
                        arguments=["--model_name", "ghsumm-%s" % dsl.RUN_ID_PLACEHOLDER, "--github_token", github_token]).after(s)
compiler.Compiler().compile(gh_summ, OUT)
"""

CHAIN_HERA = """
from hera.workflows import DAG, Container, Parameter, Workflow
with Workflow(generate_name="chain-", entrypoint="main") as w:
    step = Container(name="step", image="alpine", command=["echo"], inputs=[Parameter(name="x")], args=["{{inputs.parameters.x}}"])
    with DAG(name="main"):
        last = None
        for i in range(N):
            task = step(name="s%d" % i, arguments={"x": str(i)})
            if last:
                last >> task
            last = task
open(OUT, "w").write(w.to_yaml())
"""

CHAIN_KFP = """
from kfp import compiler, dsl
@dsl.pipeline(name="chain")
def chain():
    last = None
    for i in range(N):
        op = dsl.ContainerOp(name="s%d" % i, image="alpine", command=["echo"], arguments=[str(i)])
        if last:
            op.after(last)
        last = op
compiler.Compiler().compile(chain, OUT)
"""


def codelab_lateen(data):
    return f"""use copydata from "{data}/datacopy_component.yaml"
use train from "{data}/train_component.yaml"

component serve(model_name: String, model_path: GCSPath) {{
    image "gcr.io/google-samples/ml-pipeline-kubeflow-tfserve:v6"
    args ["--model_name", model_name, "--model_path", model_path]
}}

component webapp(model_name: String, github_token: String) {{
    image "gcr.io/google-samples/ml-pipeline-webapp-launcher:v1"
    args ["--model_name", model_name, "--github_token", github_token]
}}

## Demonstrate Tensor2Tensor-based training and TF-Serving
pipeline gh_summ(train_steps: Integer = 2019300, github_token: String = "x", working_dir: GCSPath = "gs://x",
                 checkpoint_dir: GCSPath = "gs://y", deploy_webapp: String = "true", data_dir: GCSPath = "gs://z") {{
    settings {{ display "Github issue summarization", service_account "pipeline-runner" }}
    copied = copydata(data_dir, checkpoint_dir, action: "copy_data", model_dir: "{{working_dir}}/{{run.id}}/model_output")
    trained = train(data_dir, train_steps, deploy_webapp, action: "train", model_dir: copied.copy_output_path)
        with gpu 1, preemptible, retry 5
    served = serve(model_name: "ghsumm-{{run.id}}", model_path: trained.train_output_path)
    if trained.launch_server == "true" {{
        webapp(model_name: "ghsumm-{{run.id}}", github_token) after served
    }}
}}
"""


def chain_lateen(steps):
    lines = ['component step(x: String) {\n    image "alpine"\n    command ["echo"]\n    args [x]\n}\n\npipeline chain() {\n']
    for i in range(steps):
        lines.append(f'    s{i} = step(x: "{i}")' + (f" after s{i - 1}\n" if i else "\n"))
    return "".join(lines) + "}\n"


def timed(command):
    """Wall time and processor time of one run, which must end well."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


def least(times):
    """Of several runs, each figure's least: what else the machine does can only add."""
    return tuple(min(column) for column in zip(*times))


def busy(command, runs):
    return least([timed(command) for _ in range(runs)])[1]


def peer(python, program, folder, name, **names):
    """The peer's command, or None without an interpreter."""
    if not python:
        return None
    path = pathlib.Path(folder, name + ".py")
    head = "".join(f"{k} = {v!r}\n" for k, v in names.items())
    path.write_text(head + f"OUT = {folder + '/peer.yaml'!r}\n" + program, encoding="utf-8")
    return [python, str(path)]


def row(name, ours, peers, rounds, ours_per_round=10):
    """In rounds, so that all see the same machine."""
    times = {who: [] for who in ("lateen", *peers)}
    for _ in range(rounds):
        for who, command in peers.items():
            times["lateen"] += [timed(ours) for _ in range(ours_per_round)]
            if command:
                times[who].append(timed(command))
    wall, processor = least(times["lateen"])
    print(f"{name:34} lateen {wall:8.4f} s ({processor:.4f} s of a processor)")
    for who in peers:
        if times[who]:
            theirs = least(times[who])
            print(f"{'':34} {who:8} {theirs[0]:8.3f} s, {theirs[0] / wall:4.0f} x ({theirs[1]:.3f} s, {theirs[1] / processor:.0f} x)", flush=True)
        else:
            print(f"{'':34} {who:8} not run", flush=True)


def growth(folder, runs):
    """Seconds of a processor at 1,000 and 10,000 steps, the start of the process taken off."""
    start = busy([LATEEN, "--version"], runs * 8)
    for what, arguments in (("check (parse and check)", ["check"]), ("compile", ["compile", "-o", folder + "/o.yaml"]),
                            ("graph (layout and SVG data)", ["graph", "-o", folder + "/g.json"])):
        seconds = []
        for steps in (1000, 10000):
            path = pathlib.Path(folder, f"chain{steps}.lateen")
            path.write_text(chain_lateen(steps), encoding="utf-8")
            seconds.append(busy([LATEEN, *arguments, str(path)], runs * 4) - start)
        print(f"{what:34} 1,000 steps {seconds[0]:.4f} s   10,000 steps {seconds[1]:.4f} s   {seconds[1] / seconds[0]:.1f} times")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--hera")
    parser.add_argument("--kfp")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["python3", ROOT / "notebooks/data.py", "--offline", folder], check=True, stdout=subprocess.DEVNULL)
        data = folder + "/t2t"
        program = pathlib.Path(folder, "codelab.lateen")
        program.write_text(codelab_lateen(data), encoding="utf-8")
        out = ["-o", folder + "/ours.yaml"]
        row("the codelab's pipeline", [LATEEN, "compile", str(program), *out],
            {"hera": peer(args.hera, CODELAB_HERA, folder, "codelab-hera"),
             "kfp 1.8": peer(args.kfp, CODELAB_KFP, folder, "codelab-kfp", DATA=data)}, args.runs)
        program.write_text(chain_lateen(args.steps), encoding="utf-8")
        row(f"{args.steps:,} steps", [LATEEN, "compile", str(program), *out],
            {"hera": peer(args.hera, CHAIN_HERA, folder, "chain-hera", N=args.steps),
             "kfp 1.8": peer(args.kfp, CHAIN_KFP, folder, "chain-kfp", N=args.steps)}, 1)
        growth(folder, args.runs)


main()
