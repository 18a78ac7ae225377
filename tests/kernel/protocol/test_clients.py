#!/usr/bin/env python3
"""The clients that people use: jupyter_kernel_test's cases, jupyter_client's restart, nbclient."""
import json
import os
import sys
import tempfile
import unittest

import harness
from harness import tap

tap.need("jupyter_client", "jupyter_kernel_test", "nbclient", "nbformat")

FOLDER = tempfile.TemporaryDirectory()
SPEC = os.path.join(FOLDER.name, "kernels", "echo")
os.makedirs(SPEC)
with open(os.path.join(SPEC, "kernel.json"), "w", encoding="utf-8") as spec_file:
    json.dump({"argv": [harness.echo_kernel(), "-f", "{connection_file}"], "display_name": "Echo", "language": "echo",
               "interrupt_mode": "signal", "kernel_protocol_version": "5.6"}, spec_file)
os.environ["JUPYTER_PATH"] = FOLDER.name
os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(FOLDER.name, "runtime")
os.environ["JUPYTER_DATA_DIR"] = os.path.join(FOLDER.name, "data")
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"

import jupyter_client.manager  # noqa: E402
import jupyter_kernel_test  # noqa: E402
import nbclient  # noqa: E402
import nbformat  # noqa: E402


class Upstream(jupyter_kernel_test.KernelTests):
    kernel_name = "echo"
    language_name = "echo"
    file_extension = ".echo"
    code_hello_world = "print hello, world"
    code_stderr = "err oops"
    completion_samples = [{"text": "pri", "matches": {"print"}}, {"text": "c", "matches": {"child", "clear"}}]
    complete_code_samples = ["print x", ""]
    incomplete_code_samples = ["print x\\"]
    invalid_code_samples = ["?"]
    code_page_something = "page text"
    code_generate_error = "fail x"
    code_execute_result = [{"code": "result 3", "result": "3"}, {"code": "result 45", "result": "45"},
                           {"code": "result 6", "result": "6"}]
    code_display_data = [{"code": "display text", "mime": "text/plain"}]
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "*4?"
    code_inspect_sample = "print"
    code_clear_output = "clear"


class UpstreamWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "echo"
    support_iopub_welcome = True


class Manager(unittest.TestCase):
    def setUp(self):
        self.manager, self.client = jupyter_client.manager.start_new_kernel(kernel_name="echo")
        self.addCleanup(self.manager.shutdown_kernel, now=True)
        self.addCleanup(self.client.stop_channels)

    def test_restart(self):
        for _ in range(3):
            self.manager.restart_kernel(now=False)
            self.client.wait_for_ready(timeout=20)
            self.assertEqual(self.client.execute_interactive("#", timeout=20)["content"]["execution_count"], 1)

    def test_interrupt(self):
        msg_id = self.client.execute("sleep 60000")
        while self.client.get_iopub_msg(timeout=20)["msg_type"] != "execute_input":
            pass
        self.manager.interrupt_kernel()
        reply = self.client.get_shell_msg(timeout=20)
        self.assertEqual((reply["parent_header"]["msg_id"], reply["content"]["ename"]), (msg_id, "KeyboardInterrupt"))

    def test_shutdown(self):
        process = self.manager.provisioner.process
        self.manager.shutdown_kernel()
        self.assertEqual(process.returncode, 0)

    def test_heartbeat(self):
        self.assertTrue(self.client.is_alive())
        self.client.hb_channel.unpause()
        self.assertTrue(self.client.hb_channel.is_beating())


class Notebook(unittest.TestCase):
    def run_cells(self, *cells, **how):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbclient.NotebookClient(notebook, kernel_name="echo", timeout=30, **how).execute()
        nbformat.validate(notebook)
        return notebook

    def test_outputs(self):
        notebook = self.run_cells("print one", "result two\ndisplay three here", "update four here")
        self.assertEqual([cell.execution_count for cell in notebook.cells], [1, 2, 3])
        self.assertEqual(notebook.cells[0].outputs[0].text, "one\n")
        self.assertEqual([output.data["text/plain"] for output in notebook.cells[1].outputs], ["two", "four"])
        self.assertEqual(notebook.metadata.language_info.name, "echo")

    def test_errors(self):
        with self.assertRaises(nbclient.exceptions.CellExecutionError) as caught:
            self.run_cells("print one", "fail for a reason", "print never")
        self.assertEqual(caught.exception.ename, "E0001")
        notebook = self.run_cells("fail for a reason", "print on", allow_error_names=["E0001"])
        self.assertEqual("".join(output.text for output in notebook.cells[1].outputs), "on\n")


tap.run_unittest(Upstream, UpstreamWelcome, Manager, Notebook)
tap.done_testing()
