"""Pipelines in the Kubeflow Pipelines SDK 1.8, compiled into the folder that is named: NAME.yaml for each function here.

With the folder of the codelab's component files as second argument, the codelab's two pipelines too.

Runs in an environment of its own (tests/requirements-kfp.txt); the same
 pipelines stand in pipelines.lateen.
"""
import pathlib
import sys

import kfp
from kfp import components, dsl
from kfp.compiler import Compiler

HERE = pathlib.Path(__file__).resolve().parent
PIPELINES = []


def component(name):
    return components.load_component_from_file(str(HERE / f"{name}.yaml"))


say, count, table, load, options, environment = map(component, ["say", "count", "table", "load", "options", "env"])


def pipeline(function):
    PIPELINES.append(function)
    return dsl.pipeline(name=function.__name__.replace("_", "-"))(function)


@pipeline
def single():
    say("hello")


@pipeline
def chain(text: str = "hi"):
    say(say(text).output)


@pipeline
def diamond(text: str = "hi"):
    top = say(text)
    left = say(f"left {top.output}")
    right = say(f"right {top.output}")
    say(f"{left.output}{right.output}")


@pipeline
def ordered():
    first = say("first")
    second = say("second").after(first)
    say("third").after(first, second)


@pipeline
def special_texts():
    for text in ['a "quoted" text', "back\\slash, comma: colon # hash", "two\nlines\n", "yes", "héllo 世界", ""]:
        say(text)


@pipeline
def numbers(number: int = 7, ratio: float = 0.25, exact: bool = True):
    count(number, ratio, exact)


@pipeline
def defaults():
    count()


@pipeline
def equal(text: str = "yes"):
    first = say(text)
    with dsl.Condition(first.output == "yes"):
        say("agreed")


@pipeline
def unequal(text: str = "yes"):
    first = say(text)
    with dsl.Condition(first.output != "no"):
        say(text)


@pipeline
def nested_conditions(text: str = "a"):
    first = say(text)
    with dsl.Condition(first.output == "a"):
        second = say(f"in {first.output}")
        with dsl.Condition(second.output == "b"):
            say(f"deeper {first.output} {text}")


@pipeline
def larger():
    counted = count(number=5)
    with dsl.Condition(counted.outputs["line_count"] > 10):
        say("many")


@pipeline
def of_a_parameter(mode: str = "deploy"):
    with dsl.Condition(mode == "deploy"):
        say(say(mode).output)
    say("always")


@pipeline
def loop_over_texts():
    with dsl.ParallelFor(["one", "two", "three"]) as word:
        first = say(word)
        say(f"again {first.output} {word}")


@pipeline
def loop_over_parameter(words: list = ["a", "b"], prefix: str = "p"):
    with dsl.ParallelFor(words) as word:
        say(f"{prefix}-{word}")


@pipeline
def loop_in_condition(go: str = "yes"):
    with dsl.Condition(go == "yes"):
        with dsl.ParallelFor([1, 2]) as n:
            say(f"{n}")


@pipeline
def resources():
    say("big").set_gpu_limit(2).set_memory_limit("48Gi").set_cpu_limit("500m")


@pipeline
def retries():
    say("again").set_retry(3)
    say("on error").set_retry(2, "OnError")


@pipeline
def deadline():
    say("slow").set_timeout(90)


@pipeline
def placement():
    from kfp import gcp
    first = say("there").add_node_selector_constraint("cloud.google.com/gke-accelerator", "nvidia-tesla-k80")
    first.apply(gcp.use_preemptible_nodepool())
    say("only there").apply(gcp.use_preemptible_nodepool(hard_constraint=True))


@pipeline
def marks(text: str = "x"):
    from kubernetes.client import V1EnvVar
    task = environment(text)
    task.add_pod_label("stage", "test")
    task.container.add_env_variable(V1EnvVar(name="EXTRA", value="1"))


@pipeline
def files(url: "URI" = "http://example.test/x", rows: int = 10):
    loaded = load(url)
    first = table(loaded.outputs["Data"], rows)
    table(first.outputs["Clean table"], 5)


@pipeline
def raw_file():
    table("a,b\n1,2\n", 1)


@pipeline
def choices():
    options(name="a", mode="fast", size="10", verbose=True)
    options(name="b")


@pipeline
def run_ids(text: str = "t"):
    say(f"{dsl.RUN_ID_PLACEHOLDER}/{text}")


def codelab(folder):
    """The codelab's pipelines, as its notebook writes them."""
    copy, train = (components.load_component_from_file(f"{folder}/{n}_component.yaml") for n in ("datacopy", "train"))

    def build(serve_image, webapp_image, extra, refine, train_steps, github_token, working_dir, checkpoint_dir, deploy_webapp, data_dir):
        copied = copy(data_dir=data_dir, checkpoint_dir=checkpoint_dir, action="copy_data",
                      model_dir=f"{working_dir}/{dsl.RUN_ID_PLACEHOLDER}/model_output")
        trained = refine(train(data_dir=data_dir, model_dir=copied.outputs["copy_output_path"], train_steps=train_steps,
                               action="train", deploy_webapp=deploy_webapp).set_gpu_limit(1))
        served = dsl.ContainerOp(name="serve", image="gcr.io/google-samples/ml-pipeline-kubeflow-tfserve:" + serve_image,
                                 arguments=["--model_name", f"ghsumm-{dsl.RUN_ID_PLACEHOLDER}", "--model_path",
                                            trained.outputs["train_output_path"]] + extra)
        with dsl.Condition(trained.outputs["launch_server"] == "true"):
            dsl.ContainerOp(name="webapp", image="gcr.io/google-samples/ml-pipeline-webapp-launcher:" + webapp_image,
                            arguments=["--model_name", f"ghsumm-{dsl.RUN_ID_PLACEHOLDER}", "--github_token",
                                       github_token] + extra).after(served)

    def preempt(step):
        from kfp import gcp
        return step.apply(gcp.use_preemptible_nodepool()).set_retry(10)

    def declare(name, *how):
        def function(train_steps: "Integer" = 2019300, project: str = "YOUR_PROJECT_HERE",
                     github_token: str = "YOUR_GITHUB_TOKEN_HERE", working_dir: "GCSPath" = "gs://YOUR_GCS_DIR_HERE",
                     checkpoint_dir: "GCSPath" = "gs://aju-dev-demos-codelabs/kubecon/model_output_tbase.bak2019000/",
                     deploy_webapp: str = "true",
                     data_dir: "GCSPath" = "gs://aju-dev-demos-codelabs/kubecon/t2t_data_gh_all/"):
            build(*how, train_steps, github_token, working_dir, checkpoint_dir, deploy_webapp, data_dir)
        function.__name__ = name
        PIPELINES.append(function)
        dsl.pipeline(name="Github issue summarization")(function)

    declare("gh_summ", "v6", "v1", ["--namespace", "default"], lambda step: step)
    declare("gh_summ_preempt", "v5", "v7ap", [], preempt)


def main():
    folder = pathlib.Path(sys.argv[1])
    if len(sys.argv) > 2:
        codelab(sys.argv[2])
    for function in PIPELINES:
        Compiler().compile(function, str(folder / f"{function.__name__}.yaml"), type_check=False)
    print(kfp.__version__)


main()
