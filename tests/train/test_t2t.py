#!/usr/bin/env python3
"""The codelab's train step here: data as Tensor2Tensor has it, what the container reads and writes, and the codelab's pipeline with it."""
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

BUILD = os.path.abspath(os.environ.get("builddir", "."))
SOURCE = os.path.abspath(tap.source_dir())
STEP = os.path.join(BUILD, "lateen-step")
ROWS, FILES = 230, 100
TINY = {"hparams_set": "transformer_prepend_tiny", "batch_size": 512, "threads": 1}


def run_step(command, **options):
    args = [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]
    return subprocess.run([STEP, command] + args, capture_output=True, text=True, check=False)


def step(command, **options):
    done = run_step(command, **options)
    tap.is_((done.returncode, done.stderr), (0, ""), command)
    return done.stdout


def train(**options):
    return run_step("t2t-train", **{"data_dir": "data", "model_dir": "model", "train_steps": 2, **TINY, **options})


def read(path):
    return pathlib.Path(path).read_bytes()


# ---- files of records, by their description ----

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    data = read(path)
    while data:
        size, check = struct.unpack_from("<QI", data)
        record = data[12:12 + size]
        assert check == masked(data[:8]) and struct.unpack_from("<I", data, 12 + size)[0] == masked(record)
        yield record
        data = data[16 + size:]


def write_records(path, examples):
    pathlib.Path(path).write_bytes(b"".join(struct.pack("<QI", len(e), masked(struct.pack("<Q", len(e)))) + e + struct.pack("<I", masked(e))
                                            for e in examples))


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        assert key & 7 == 2
        size, at = varint(data, at)
        yield key >> 3, data[at:at + size]
        at += size


def example(record):
    """The ids of each feature."""
    features = {}
    for _, entry in fields(dict(fields(record))[1]):
        entry = dict(fields(entry))
        row, ids, at = dict(fields(dict(fields(entry[2]))[3]))[1], [], 0
        while at < len(row):
            value, at = varint(row, at)
            ids.append(value)
        features[entry[1].decode()] = ids
    return features


def put_varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, data):
    return put_varint(number << 3 | 2) + put_varint(len(data)) + data


def put_example(**features):
    """As TensorFlow's C++ would write it, but for the order, and the numbers not packed: both are allowed."""
    return field(1, b"".join(field(1, field(1, name.encode()) + field(2, field(3, b"".join(b"\x08" + put_varint(i) for i in ids))))
                             for name, ids in reversed(features.items())))


# ---- data ----

def name_of(row):
    part, number, of = ("train", row % FILES, 90) if row % FILES < 90 else ("dev", row % FILES - 90, 10)
    return f"gh_problem-{part}-{number:05}-of-{of:05}"


def decode(vocabulary, ids):
    """As Tensor2Tensor's encoder reads its own tokens; there are no characters that need an escape in these texts but `_` and `\\`."""
    text = "".join(vocabulary[i] for i in ids)
    words = [w.replace("\\u", "_").replace("\\\\", "\\") for w in text.split("_")[:-1]]
    spaced = ""
    for i, word in enumerate(words):
        if i and word[:1].isalnum() and words[i - 1][:1].isalnum():
            spaced += " "
        spaced += word
    return spaced


def test_datagen():
    step("synthetic-issues", rows=ROWS, output="issues")
    said = step("t2t-datagen", input="issues", data_dir="data/", vocab=300, data_dir_output="generated")
    tap.contains(said, f"data: {ROWS} documents", "says what it made")
    tap.is_(read("generated"), b"data", "gives the folder")
    names = sorted(os.listdir("data"))
    tap.is_(len(names), FILES + 1, "a vocabulary and a hundred files")
    tap.ok({name_of(i) for i in range(FILES)} <= set(names) and "vocab.gh_problem.300.subwords" in names, "by Tensor2Tensor's names")
    issues = [json.loads(line) for line in pathlib.Path("issues").read_text(encoding="utf-8").splitlines()]
    vocabulary = [line[1:-1] for line in pathlib.Path("data/vocab.gh_problem.300.subwords").read_text(encoding="utf-8").splitlines()]
    places, wrong = {}, []
    for row, issue in enumerate(issues):
        found = places.setdefault(name_of(row), list(records("data/" + name_of(row))))[row // FILES]
        ids = example(found)
        if sorted(ids) != ["inputs", "targets"] or ids["inputs"][-1] != 1 or ids["targets"][-1] != 1:
            wrong.append(row)
        elif (decode(vocabulary, ids["inputs"][:-1]), decode(vocabulary, ids["targets"][:-1])) != (issue["body"], issue["title"]):
            wrong.append((row, issue, decode(vocabulary, ids["targets"][:-1])))
    tap.is_(wrong[:2], [], "each row is in its file, as subwords with an <EOS>")
    tap.is_(sum(map(len, places.values())), ROWS, "once")
    done = run_step("t2t-datagen", input="issues", data_dir="data", vocab=300)
    tap.is_(done.returncode, 1, "a folder that holds data is not written over")
    for options, want in (({"fields": "body"}, "the columns of the texts and of their titles"), ({"data_dir": "gs://bucket/data"}, "gs://bucket/data"),
                          ({"problem": "a/b"}, "--problem"), ({"input": "nowhere"}, "nowhere"), ({"fields": "text,title"}, "`text`")):
        done = run_step("t2t-datagen", **{"input": "issues", "data_dir": "none", **options})
        tap.is_((done.returncode, os.path.exists("none"), os.path.exists("none.tmp")), (1, False, False), f"refused: {options}")
        tap.contains(done.stderr, want, "and told why")


# ---- training ----

def model_files(folder):
    return sorted(os.listdir(folder))


def test_train():
    done = train(train_steps=4, model_dir="whole/", deploy_webapp="maybe", launch_server="launch", train_output_path="path", ui_metadata="ui")
    tap.is_((done.returncode, done.stderr), (0, ""), "trains")
    for part in ("data: 90 files to train with, 10 to look at, `vocab.gh_problem.300.subwords`", "data: 210 documents to learn from, 20 to look at",
                 "step 4: dev loss", "of 20 titles to look at: accuracy"):
        tap.contains(done.stdout, part, "says")
    tap.is_(read("launch"), b"maybe", "launch_server is what deploy_webapp says, with nothing behind it")
    tap.is_(read("path"), b"whole/export", "train_output_path")
    tap.is_(json.loads(read("ui")), {"outputs": [{"type": "tensorboard", "source": "whole"}]}, "the UI metadata is the container's")
    tap.is_(os.listdir("whole/export"), ["4"], "a version of the model")
    tap.is_(model_files("whole/export/4"), ["config.json", "model.safetensors", "tokenizer.json"], "with its files")
    config = json.loads(read("whole/export/4/config.json"))
    tap.is_({key: config[key] for key in ("n_layer", "n_embd", "n_head", "n_inner", "activation_function", "layer_norm_epsilon", "resid_pdrop", "label_smoothing")},
            {"n_layer": 2, "n_embd": 128, "n_head": 4, "n_inner": 512, "activation_function": "relu", "layer_norm_epsilon": 1e-6, "resid_pdrop": 0.1,
             "label_smoothing": 0.1}, "the hyperparameters")
    tap.is_(read("whole/export/4/tokenizer.json"), read("data/vocab.gh_problem.300.subwords"), "and the vocabulary")
    rate = float(pathlib.Path("whole/curve").read_text(encoding="utf-8").splitlines()[-1].split(",")[3])
    tap.ok(math.isclose(rate, 2 * 128 ** -0.5 * min(4 * 8000 ** -1.5, 4 ** -0.5), rel_tol=1e-6), f"the rate of the fourth step is {rate}")
    tap.ok(any(name.startswith("events.out.tfevents.") for name in os.listdir("whole")), "event files lie where TensorBoard is sent")
    tap.ok(any(name.startswith("events.out.tfevents.") for name in os.listdir("whole/eval")), "those of the evaluation too")
    tap.ok(not any(name.endswith(".tokens") for name in os.listdir("whole")), "nothing else is left")
    step("generate", model="whole/export/4", input="issues", rows=3, max_tokens=5, output="titles")


READ_EVENTS = """
import json
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
for folder in sys.argv[1:]:
    events = EventAccumulator(folder)
    events.Reload()
    print(json.dumps({tag: [e.step for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
"""


def test_events():
    """By TensorBoard's own reader: the training's own, and the measures by Tensor2Tensor's names."""
    python = os.environ.get("LATEEN_TRAIN_PYTHON")
    if not python:
        tap.skip("LATEEN_TRAIN_PYTHON names no python with tensorboard")
        return
    done = subprocess.run([python, "-c", READ_EVENTS, "whole", "whole/eval"], capture_output=True, text=True, check=True)
    training, measures = map(json.loads, done.stdout.splitlines())
    tap.is_((training["loss"], training["learning_rate"], training["dev/loss"]), ([1, 2, 3, 4], [1, 2, 3, 4], [4]), "each step, and a look in the end")
    names = ("accuracy", "accuracy_top5", "accuracy_per_sequence", "neg_log_perplexity", "approx_bleu_score", "rouge_2_fscore", "rouge_L_fscore")
    tap.is_(measures, {f"metrics-gh_problem/targets/{name}": [4] for name in names}, "all measures")


def test_resume():
    tap.is_(train(train_steps=2, model_dir="parts").returncode, 0, "two steps")
    done = train(train_steps=4, model_dir="parts", hparams_set="")
    tap.contains(done.stdout, "goes on behind step 2", "and two more, of the size that the checkpoint has")
    tap.ok(read("parts/export/4/model.safetensors") == read("whole/export/4/model.safetensors"), "are the four that never stopped, bit for bit")
    tap.is_(sorted(os.listdir("parts/export")), ["2", "4"], "each has its version")
    done = train(train_steps=4, model_dir="parts")
    tap.contains(done.stdout, "nothing is left to do", "no step is taken twice")
    tap.ok(read("parts/export/4/model.safetensors") == read("whole/export/4/model.safetensors"), "and the model is written again")
    done = train(train_steps=5, model_dir="parts", batch_size=600)
    tap.contains(done.stdout, "is of another training of such a model", "another batch size goes on from it, and says so")
    tap.is_((done.returncode, sorted(os.listdir("parts/export"))), (0, ["2", "4", "5"]), "as Tensor2Tensor would")


def test_other_writers():
    """Records as TensorFlow writes them, a file without any, one document whose title is empty."""
    os.mkdir("other")
    shutil.copy("data/vocab.gh_problem.300.subwords", "other")
    examples = [put_example(inputs=[5 + i % 7, 9, 10, 1], targets=[12, 13 + i % 5, 1]) for i in range(40)] + [put_example(inputs=[5, 1], targets=[1])]
    write_records("other/gh_problem-train-00000-of-00002", examples)
    write_records("other/gh_problem-train-00001-of-00002", [])
    done = train(data_dir="other", model_dir="other-model")
    tap.is_((done.returncode, done.stderr), (0, ""), "are read")
    tap.contains(done.stdout, "data: 40 documents to learn from, 0 to look at", "all of them")
    tap.contains(done.stdout, "left out, for they lack a text or a title: 1", "but the empty one")


def test_copy():
    os.mkdir("empty")
    said = step("t2t-copy", data_dir="data", checkpoint_dir="file://" + os.path.abspath("parts"), model_dir="copied/model_output", copy_output_path="copy")
    tap.contains(said, "copied/model_output: ", "says what it copied")
    tap.is_(read("copy"), b"copied/model_output", "gives the folder")
    tap.ok(read("copied/model_output/step-4/optimizer.safetensors") == read("parts/step-4/optimizer.safetensors"), "a file is what it was")
    tap.is_(os.readlink("copied/model_output/best"), os.readlink("parts/best"), "a link is a link")
    tap.ok(not os.path.exists("copied/model_output/lock"), "a lock is nobody else's")
    for options, want in (({"action": "train"}, "`copy_data`"), ({"checkpoint_dir": "gs://b/c"}, "gsutil -m cp -r gs://b/c"), ({"checkpoint_dir": "nowhere"}, "nowhere"),
                          ({"model_dir": "parts/inside"}, "lies in"), ({"model_dir": "s3://b/c"}, "no folder of this machine")):
        done = run_step("t2t-copy", **{"checkpoint_dir": "parts", "model_dir": "new", **options})
        tap.is_(done.returncode, 1, f"refused: {options}")
        tap.contains(done.stderr, want, "and told why")
    step("t2t-copy", checkpoint_dir="empty", model_dir="fresh")
    tap.is_(os.listdir("fresh"), [], "of nothing there is nothing")


def change(folder, name, function):
    """A copy of the data with a file that is another."""
    shutil.copytree("data", folder)
    path = pathlib.Path(folder, name)
    data = function(path.read_bytes())
    path.unlink() if data is None else path.write_bytes(data)
    return folder


def only_characters(vocabulary):
    lines = vocabulary.split(b"\n")
    return b"\n".join(line for i, line in enumerate(lines) if i < 2 or len(line.decode()) <= 3)


def test_refusals():
    first, vocabulary = "gh_problem-train-00003-of-00090", "vocab.gh_problem.300.subwords"
    os.mkdir("tensorflow")
    pathlib.Path("tensorflow/model.ckpt-2019000.index").touch()
    cases = [({"data_dir": "gs://aju-dev-demos-codelabs/kubecon/t2t_data_gh_all/"}, "gsutil -m cp -r gs://aju-dev-demos-codelabs/kubecon/t2t_data_gh_all/ FOLDER"),
             ({"model_dir": "https://example.org/x"}, "no folder of this machine"), ({"model_dir": ""}, "is empty"), ({"action": "copy_data"}, "`train`"),
             ({"train_steps": 0}, "--train-steps"), ({"hparams_set": "transformer_big"}, "`transformer_prepend` or `transformer_prepend_tiny`"),
             ({"data_dir": "nowhere"}, "nowhere"), ({"data_dir": "empty"}, "no file `gh_problem-train-"), ({"problem": "other"}, "`other-train-"),
             ({"model_dir": "tensorflow"}, "`model.ckpt-2019000.index`"), ({"model_dir": "parts", "hparams_set": "transformer_prepend"}, "is not `transformer_prepend`"),
             ({"data_dir": change("no-vocabulary", vocabulary, lambda data: None)}, "holds no vocabulary"),
             ({"data_dir": change("small-vocabulary", vocabulary, only_characters)}, "and the vocabulary has"),
             ({"data_dir": change("cut", first, lambda data: data[:-5])}, f"cut/{first}`, record"),
             ({"data_dir": change("turned", first, lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:])}, "checksum"),
             ({"data_dir": change("text", first, lambda data: b"issue_url,title,body\n" * 9)}, "no file of records")]
    shutil.copytree("data", "two")
    shutil.copy("two/" + vocabulary, "two/vocab.gh_problem.8192.subwords")
    cases.append(({"data_dir": "two"}, "several vocabularies"))
    shutil.copytree("data", "others")
    lines = read("others/" + vocabulary).split(b"\n")
    pathlib.Path("others", vocabulary).write_bytes(b"\n".join(lines[:-1] + ["'\u00e9'".encode(), b""]))
    cases.append(({"data_dir": "others", "model_dir": "parts", "hparams_set": ""}, "subwords, and the data's vocabulary has"))
    for options, want in cases:
        done = train(**{"model_dir": "bad", "launch_server": "never", "train_output_path": "never", "ui_metadata": "never", **options})
        tap.is_(done.returncode, 1, f"refused: {options}")
        tap.contains(done.stderr, want, "and told why")
        tap.ok(not os.path.exists("never") and not os.path.exists("bad/export"), "other than in the container nothing says that it went well")


# ---- the codelab's pipeline ----

STUBS = """
component no_server(model_name: String, model_path: GCSPath) -> (versions: String) { script sh \"\"\"ls "$model_path" > "$out_versions" \"\"\" }
component no_app(model_name: String, github_token: Secret) { script sh \"\"\"echo "$model_name" \"\"\" }

r = gh_summ(train_steps: 4, working_dir: "work", checkpoint_dir: "checkpoint", data_dir: "data") using
    copydata = std.t2t_copy, train = std.t2t_train, serve = no_server, webapp = no_app
assert r.trained.launch_server == "true", "the app is to follow"
assert r.copied.copy_output_path + "/export" == r.trained.train_output_path, "the model is where the container would put it"
r.trained.train_output_path
r.served.versions
r.trained.`MLPipeline UI metadata`
"""


def test_pipeline():
    """With a small checkpoint, as the codelab has a large one: copied, it says the model's size, and training goes on from its step."""
    tap.is_(train(train_steps=2, model_dir="checkpoint").returncode, 0, "a checkpoint")
    shutil.copytree(os.path.join(SOURCE, "notebooks/t2t"), "t2t")
    text = pathlib.Path(SOURCE, "docs/examples/gh_summ.lateen").read_text(encoding="utf-8")
    pathlib.Path("codelab.lateen").write_text(text + STUBS, encoding="utf-8")
    env = {**os.environ, "GITHUB_TOKEN": "none", "NO_COLOR": "1", "XDG_DATA_HOME": os.path.abspath("home"), "XDG_STATE_HOME": os.path.abspath("home")}
    done = subprocess.run([tap.lateen(), "exec", "codelab.lateen"], capture_output=True, text=True, check=False, env=env)
    tap.is_((done.returncode, done.stderr), (0, ""), "the codelab's pipeline runs here")
    for part in ("trained    t2t_train, gpu 1", "trained: step 4 of 4"):
        tap.contains(done.stdout, part, "its training too")
    where = next(iter(pathlib.Path("work").iterdir()), None)
    tap.is_(sorted(os.listdir(where / "model_output" / "export")), ["2", "4"], "it went on from the checkpoint's model")
    tap.contains(done.stdout, f'[{{"type":"tensorboard","source":"{where}/model_output"}}]', "and leads to TensorBoard")


def test_compile():
    """For a cluster: the artifact that Kubeflow's pages read has its name."""
    text = pathlib.Path("codelab.lateen").read_text(encoding="utf-8").partition("component no_server")[0]
    pathlib.Path("cluster.lateen").write_text(text.replace("settings {", 'settings { default_image "example.org/lateen:1",'), encoding="utf-8")
    done = subprocess.run([tap.lateen(), "compile", "cluster.lateen", "--using", "copydata=std.t2t_copy,train=std.t2t_train"], capture_output=True, text=True,
                          check=False)
    tap.is_((done.returncode, done.stderr), (0, ""), "the same pipeline for a cluster")
    for part in ("- name: mlpipeline-ui-metadata", "- t2t-train", "{{tasks.trained.outputs.parameters.launch_server}}"):
        tap.contains(done.stdout, part, "names")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        test_datagen()
        test_train()
        test_events()
        test_resume()
        test_other_writers()
        test_copy()
        test_refusals()
        test_pipeline()
        test_compile()
        os.chdir("/")
    tap.done_testing()


main()
