#!/usr/bin/env python3
"""jupyter_kernel_test, all 13 of its tests, against the real kernel."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

tap.need("jupyter_kernel_test", "jupyter_client")

FOLDER = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
os.chdir(FOLDER.name)
os.environ.update(HOME=FOLDER.name, XDG_DATA_HOME=FOLDER.name + "/data", XDG_CONFIG_HOME=FOLDER.name + "/config")
subprocess.run([tap.lateen(), "kernel", "install", "--prefix", FOLDER.name], check=True, stdout=subprocess.DEVNULL)
os.environ["JUPYTER_PATH"] = FOLDER.name + "/share/jupyter"

import jupyter_kernel_test  # noqa: E402

COMPONENT = "component hello(who: String) {\n    image \"alpine:3.20\"\n    args [who]\n}"


class LateenTests(jupyter_kernel_test.KernelTests):
    """Every attribute is set, so that no test is skipped."""
    kernel_name = "lateen"
    language_name = "lateen"
    file_extension = ".lateen"
    code_hello_world = 'print "hello, world"'
    code_stderr = "!echo trouble >&2"
    completion_samples = [{"text": "compon", "matches": {"component"}}, {"text": "asser", "matches": {"assert"}}]
    complete_code_samples = ["1 + 1", COMPONENT, "print \"x\"", "# only a comment"]
    incomplete_code_samples = ["component hello(who: String) {", "pipeline p(", "x = [1,", "1 +", '"""\nraw']
    invalid_code_samples = ["pipeline = = 3", ")", "1 +* 2"]
    code_page_something = "help retry"
    code_generate_error = "nosuchname"
    code_execute_result = [{"code": "6 * 7", "result": "42"}, {"code": '"six" + "teen"', "result": "sixteen"},
                           {"code": "[1, 2]", "result": "[1,2]"}]
    code_display_data = [{"code": COMPONENT + "\nhello\n1", "mime": "text/html"}]
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "6 [*]*"
    code_inspect_sample = "print"
    code_clear_output = "clear"


class LateenIopubWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "lateen"
    support_iopub_welcome = True


def main():
    unittest.TestLoader.sortTestMethodsUsing = None
    tap.run_unittest(LateenTests, LateenIopubWelcomeTests)
    FOLDER.cleanup()
    tap.done_testing()


main()
