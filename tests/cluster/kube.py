"""A cluster for the tests: what `cluster up` started, or the one whose kubeconfig LATEEN_TEST_KUBECONFIG names.

Everything goes through `kubectl proxy`, which signs in whatever way that kubeconfig says. Each test works in a namespace of its own,
made and removed by `Cluster.namespace()`, so that tests run beside each other and leave nothing behind.

    cluster = kube.need(2)                 # skips the whole program, loudly, where no cluster of that level is up
    with cluster.namespace() as space:
        name = space.create(workflow)["metadata"]["name"]
"""
import atexit
import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import tap  # noqa: E402

tap.need_python("LATEEN_CLUSTER_PYTHON", "yaml")

ARGO = "/apis/argoproj.io/v1alpha1"
REQUEST_SECONDS = 60
IMAGE = os.environ.get("LATEEN_TEST_IMAGE", "local.test/busybox:1.36")
EXECUTOR = re.compile(r'time="[^"]*" level=\w+ msg=')
DONE = "workflows.argoproj.io/completed"


class Refused(Exception):
    """The server said no; .status and .body are its answer."""

    def __init__(self, what, status, body):
        super().__init__(f"{what}: HTTP {status}: {body.get('message', body) if isinstance(body, dict) else body}")
        self.status, self.body = status, body


def level():
    """The level that is up: 0 to 3, or -1."""
    word = os.environ.get("LATEEN_TEST_LEVEL", "t2" if os.environ.get("LATEEN_TEST_KUBECONFIG") else "")
    return int(word[1:]) if re.fullmatch("t[0-3]", word) else -1


def why_not():
    return os.environ.get("LATEEN_CLUSTER_WHY") or (
        f"the cluster is one of t{level()}" if level() >= 0 else "no cluster is up (`make check-cluster` starts one)")


def kubectl():
    home = os.environ.get("LATEEN_CLUSTER_HOME")
    return shutil.which("kubectl", path=(f"{home}/bin:" if home else "") + os.environ.get("PATH", ""))


def need(wanted):
    """The cluster, once at least that level is up."""
    if level() < wanted:
        tap.skip_all(f"t{wanted} is needed: {why_not()}")
    if not kubectl():
        tap.skip_all("there is no kubectl")
    return Cluster(os.environ["LATEEN_TEST_KUBECONFIG"])


class Cluster:
    def __init__(self, kubeconfig):
        self.kubeconfig = kubeconfig
        self.proxy = subprocess.Popen([kubectl(), f"--kubeconfig={kubeconfig}", "proxy", "--port=0"], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True)
        atexit.register(self.close)
        said = self.proxy.stdout.readline()
        port = re.search(r"127\.0\.0\.1:(\d+)", said)
        if not port:
            raise RuntimeError(f"kubectl proxy does not start: {said}{self.proxy.stdout.read()}")
        self.address = ("127.0.0.1", int(port.group(1)))

    def close(self):
        if self.proxy.poll() is None:
            self.proxy.terminate()
            self.proxy.wait()

    def exchange(self, method, path, body=None, kind="application/json", timeout=REQUEST_SECONDS):
        """(status, bytes)"""
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        try:
            connection.request(method, path, None if body is None else body if isinstance(body, (bytes, str)) else json.dumps(body),
                               {"Content-Type": kind} if body is not None else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, method, path, body=None, kind="application/json"):
        """The answer as data; anything but 2xx is Refused."""
        status, text = self.exchange(method, path, body, kind)
        try:
            found = json.loads(text) if text else None
        except ValueError:
            found = text.decode("utf-8", "replace")
        if not 200 <= status < 300:
            raise Refused(f"{method} {path}", status, found)
        return found

    def watch(self, path, seconds):
        """The objects of a watch as they come, for at most so many seconds."""
        connection = http.client.HTTPConnection(*self.address, timeout=seconds + 10)
        try:
            connection.request("GET", f"{path}{'&' if '?' in path else '?'}watch=1&timeoutSeconds={seconds}")
            answer = connection.getresponse()
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()

    @contextlib.contextmanager
    def namespace(self):
        name = f"lateen-test-{secrets.token_hex(3)}"
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": {"lateen.test": "yes"}}})
        space = Space(self, name)
        try:
            space.prepare()
            yield space
        finally:
            with contextlib.suppress(Refused, OSError):
                self.ask("DELETE", f"/api/v1/namespaces/{name}")


class Space:
    """A namespace in which workflows can run."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def path(self, resource, group=ARGO):
        return f"{group}/namespaces/{self.name}/{resource}"

    def core(self, resource):
        return self.path(resource, "/api/v1")

    def prepare(self):
        """What the pods of a workflow may do, and where artifacts go."""
        rules = [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]},
                 {"apiGroups": [""], "resources": ["pods", "configmaps"], "verbs": ["get", "list", "watch", "create", "patch", "delete"]}]
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        self.cluster.ask("POST", self.path("roles", rbac), {"metadata": {"name": "executor"}, "rules": rules})
        self.cluster.ask("POST", self.path("rolebindings", rbac), {
            "metadata": {"name": "executor"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "executor"},
            "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": f"system:serviceaccounts:{self.name}"}]})
        self.secret("s3", accesskey="lateen", secretkey="lateen")
        end = time.monotonic() + 30
        while self.cluster.exchange("GET", self.core("serviceaccounts/default"))[0] == 404 and time.monotonic() < end and level() > 0:
            time.sleep(0.1)

    def secret(self, name, **entries):
        data = {k: base64.b64encode(v.encode()).decode() for k, v in entries.items()}
        self.cluster.ask("POST", self.core("secrets"), {"metadata": {"name": name}, "data": data})

    def create(self, workflow, strict=True):
        return self.cluster.ask("POST", self.path("workflows") + ("?fieldValidation=Strict" if strict else ""), workflow)

    def workflow(self, name):
        return self.cluster.ask("GET", self.path(f"workflows/{name}"))

    def workflows(self):
        return {w["metadata"]["name"]: w for w in self.cluster.ask("GET", self.path("workflows"))["items"]}

    def patch(self, path, body):
        return self.cluster.ask("PATCH", path, body, "application/merge-patch+json")

    def pods(self, workflow):
        return self.cluster.ask("GET", self.core(f"pods?labelSelector={urllib.parse.quote(f'workflows.argoproj.io/workflow={workflow}')}"))["items"]

    def log(self, pod, container="main"):
        """What the container wrote, without the lines that Argo's executor adds."""
        status, text = self.cluster.exchange("GET", self.core(f"pods/{pod}/log?container={container}"))
        if status != 200:
            raise Refused(f"the log of {pod}", status, text.decode("utf-8", "replace"))
        return "".join(l for l in text.decode("utf-8", "replace").splitlines(True) if not EXECUTOR.match(l))

    def until(self, name, holds, seconds=120):
        """The workflow once `holds(workflow)` is true; what it then is otherwise."""
        end = time.monotonic() + seconds
        while True:
            found = self.workflow(name)
            if holds(found) or time.monotonic() > end:
                return found
            time.sleep(0.3)

    def finish(self, name, seconds=180):
        return self.until(name, is_done, seconds)

    def together(self, workflows, at_a_time=8, seconds=600):
        """{label: what became of it} of {label: workflow}, so many at a time; a value that is no dict says why there is none."""
        waiting, running, ended = list(workflows.items()), {}, {}
        end = time.monotonic() + seconds
        while waiting or running:
            while waiting and len(running) < at_a_time:
                label, workflow = waiting.pop(0)
                try:
                    running[self.create(workflow)["metadata"]["name"]] = label
                except Refused as refused:
                    ended[label] = str(refused)
            for name, found in self.workflows().items() if running else []:
                if name in running and is_done(found):
                    ended[running.pop(name)] = found
            if time.monotonic() > end:
                ended.update({label: f"it still ran after {seconds} s" for label in [*running.values(), *(l for l, _ in waiting)]})
                break
            time.sleep(0.5)
        return ended


def is_done(workflow):
    return workflow["metadata"].get("labels", {}).get(DONE) == "true"
