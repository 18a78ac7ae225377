#!/usr/bin/env python3
"""The codelab's pipelines, with its real component files, mean what the SDK compiled them to; and a third version of it."""
import compiled
from compiled import tap

tap.need("yaml")

import yaml  # noqa: E402

import meaning  # noqa: E402

OURS = {"copy-training-checkpoint-data": "copied", "train-t2t-model": "trained", "serve": "served"}
SECRET = {"secretKeyRef": {"name": "github", "key": "token"}}


def compile_codelab(name, target, codelab):
    path, folder = compiled.beside(compiled.HERE / f"{name}.lateen", t2t=codelab)
    with folder:
        return compiled.workflow(path, target)


def same_meaning(name, golden, target, codelab):
    got = compile_codelab(name, target, codelab)
    want = yaml.safe_load((codelab / golden).read_text(encoding="utf-8"))
    if got:
        found = meaning.differences(meaning.meaning(got), meaning.meaning(want, OURS))
        tap.is_(found, [], f"{name} for {target} means what {golden} means")


def template(workflow, name):
    return next(t for t in workflow["spec"]["templates"] if t["name"] == name)


def third(target, codelab):
    got = compile_codelab("gh_summ_secret", target, codelab)
    if not got:
        return
    names = [p["name"] for p in got["spec"]["arguments"]["parameters"]]
    tap.ok("github_token" not in names, f"{target}: a Secret is no parameter of the workflow")
    required = next(p for p in got["spec"]["arguments"]["parameters"] if p["name"] == "working_dir")
    tap.is_(required.get("value"), None if target == "argo" else "", f"{target}: what a parameter has that must be given")
    steps = meaning.meaning(got)["steps"]
    tap.is_(steps["trained"]["resources"], {"limits": {"nvidia.com/gpu": "1", "memory": "48Gi"}}, f"{target}: gpu and memory")
    tap.is_(steps["webapp"]["args"][2:], ["--github_token", "<secret github token>"], f"{target}: the token goes by a variable")
    tap.is_(steps["anonymous"]["args"], ["--model_name", "ghsumm-{{workflow.uid}}-anonymous"], f"{target}: without a token no flag")
    env = template(got, "webapp")["container"]["env"]
    tap.is_(env, [{"name": "github_token", "valueFrom": SECRET}], f"{target}: the variable names the Secret")


def main():
    codelab = compiled.shared("data/codelab")
    if not codelab:
        tap.skip_all("LATEEN_SHARED names no folder with the codelab's files")
    for target in ("kfp", "argo"):
        same_meaning("gh_summ", "gh_summ_hosted_kfp.golden.yaml", target, codelab)
        same_meaning("gh_summ_preempt", "gh_summ_hosted_kfp_preempt.golden.yaml", target, codelab)
        third(target, codelab)
    tap.done_testing()


main()
