#!/usr/bin/env python3
"""What an execute_request does: counters, silence, the order of messages, aborting what is queued."""
import harness
from harness import tap, stream_text


class Execute(harness.KernelCase):
    def count(self):
        return self.client.execute("", silent=True)[0].content["execution_count"]

    def test_reply_and_order(self):
        reply, outputs = self.client.execute("print one\nerr two\nresult three\nprint four")
        self.assertEqual(reply.type, "execute_reply")
        self.assertEqual(reply.content["status"], "ok")
        self.assertEqual([m.type for m in outputs], ["execute_input", "stream", "stream", "execute_result", "stream"])
        self.assertEqual(outputs[0].content, {"code": "print one\nerr two\nresult three\nprint four",
                                              "execution_count": reply.content["execution_count"]})
        self.assertEqual([m.content.get("text") for m in outputs[1:]], ["one\n", "two\n", None, "four\n"])
        self.assertEqual(outputs[3].content, {"data": {"text/plain": "three"}, "metadata": {},
                                              "execution_count": reply.content["execution_count"]})

    def test_parent_is_the_header_as_it_came(self):
        header = self.client.header("execute_request", a_field_of_the_future=[1, {"x": None}])
        self.client["shell"].send_multipart(self.client.frames(header, self.client.execute_content("print x")))
        reply = self.client.reply(header["msg_id"])
        outputs = self.client.outputs(header["msg_id"])
        self.assertEqual([m.parent for m in [reply, *outputs]], [header] * (1 + len(outputs)))

    def test_headers(self):
        reply, outputs = self.client.execute("print x")
        info, _ = self.client.ask("kernel_info_request", channel="control")
        self.assertEqual({m.header["session"] for m in [reply, info, *outputs]}, {reply.header["session"]})
        self.assertNotEqual(reply.header["session"], self.client.session)
        ids = [m.header["msg_id"] for m in [reply, info, *outputs]]
        self.assertEqual(len(set(ids)), len(ids))
        for message in [reply, info, *outputs]:
            self.assertRegex(message.header["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertEqual(message.header["version"], "5.6")
            self.assertIsInstance(message.header["username"], str)

    def test_started_is_in_the_metadata(self):
        reply, _ = self.client.execute("print x")
        self.assertRegex(reply.metadata["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertLessEqual(reply.metadata["started"], reply.header["date"])

    def test_cell_id(self):
        for metadata, want in (({"cellId": "a-b-c"}, "a-b-c"), ({"cellId": 3}, "none"), ({}, "none")):
            self.assertEqual(stream_text(self.client.execute("cell", metadata=metadata)[1]), want)

    def test_counter_counts_what_is_stored(self):
        before = self.count()
        self.assertEqual(self.client.execute("#")[0].content["execution_count"], before + 1)
        self.assertEqual(self.client.execute("#", store_history=False)[0].content["execution_count"], before + 1)
        self.assertEqual(self.client.execute("#", silent=True)[0].content["execution_count"], before + 1)
        self.assertEqual(self.client.execute("fail x")[0].content["execution_count"], before + 2)
        self.assertEqual(self.client.execute("#")[0].content["execution_count"], before + 3)

    def test_first_cell_is_one(self):
        client = self.own_kernel().client().ready()
        self.assertEqual(client.execute("", silent=True)[0].content["execution_count"], 0)
        self.assertEqual(client.execute("#")[0].content["execution_count"], 1)

    def test_store_history_defaults_to_not_silent(self):
        before = self.count()
        reply, _ = self.client.ask("execute_request", {"code": "#"})
        self.assertEqual(reply.content["execution_count"], before + 1)

    def test_silent_shows_nothing(self):
        reply, outputs = self.client.execute("print x\nresult y\ndisplay z\nclear", silent=True, store_history=True,
                                             user_expressions={"a": "text"})
        self.assertEqual(outputs, [])
        self.assertEqual(reply.content["status"], "ok")
        self.assertEqual(reply.content["user_expressions"]["a"]["data"], {"text/plain": "text"})

    def test_silent_failure_still_fails(self):
        reply, outputs = self.client.execute("fail x", silent=True)
        self.assertEqual((reply.content["status"], reply.content["ename"]), ("error", "E0001"))
        self.assertEqual([m.type for m in outputs if m.type != "error"], [])

    def test_user_expressions(self):
        reply, _ = self.client.execute("#", user_expressions={"good": "1", "wrong": "bad", "number": 3})
        values = reply.content["user_expressions"]
        self.assertEqual({name: value["status"] for name, value in values.items()},
                         {"good": "ok", "wrong": "error", "number": "error"})
        self.assertEqual(values["good"]["data"], {"text/plain": "1"})

    def test_user_expressions_need_success(self):
        reply, _ = self.client.execute("fail x", user_expressions={"a": "1"})
        self.assertEqual(reply.content["user_expressions"], {})

    def test_error_is_published_once(self):
        reply, outputs = self.client.execute("print before\nfail the reason\nprint after")
        self.assertEqual([m.type for m in outputs], ["execute_input", "stream", "error"])
        error = {"ename": "E0001", "evalue": "the reason", "traceback": ["the reason"]}
        self.assertEqual(outputs[2].content, error)
        self.assertEqual({name: reply.content[name] for name in error}, error)
        self.assertEqual(reply.content["status"], "error")

    def test_pager(self):
        reply, _ = self.client.execute("page a long text")
        self.assertEqual(reply.content["payload"],
                         [{"source": "page", "data": {"text/plain": "a long text"}, "start": 0}])

    def test_no_payload_on_error(self):
        self.assertEqual(self.client.execute("page x\nfail y")[0].content["payload"], [])

    def test_display_ids(self):
        _, outputs = self.client.execute("display plain\ndisplay named one\nupdate again one")
        self.assertEqual([(m.type, m.content["transient"]) for m in outputs[1:]],
                         [("display_data", {}), ("display_data", {"display_id": "one"}),
                          ("update_display_data", {"display_id": "one"})])
        self.assertEqual([m.content["metadata"] for m in outputs[1:]], [{}, {}, {}])

    def test_clear_comes_after_the_text_before_it(self):
        _, outputs = self.client.execute("print old\nclear wait\nprint new\nclear")
        self.assertEqual([(m.type, m.content.get("text", m.content.get("wait"))) for m in outputs[1:]],
                         [("stream", "old\n"), ("clear_output", True), ("stream", "new\n"), ("clear_output", False)])

    def test_code_that_is_no_text(self):
        for content in ({"code": 3}, {}, {"code": None}, {"code": ["a"]}):
            reply, outputs = self.client.ask("execute_request", content)
            self.assertEqual((reply.content["status"], reply.content["ename"]), ("error", "InvalidRequest"))
            self.assertEqual(reply.content["traceback"], [])
            self.assertIsInstance(reply.content["execution_count"], int)
            self.assertEqual(outputs, [])


class StopOnError(harness.KernelCase):
    """The first cell sleeps, so that what follows is there when it fails."""

    def queue(self, *requests, **first):
        sent = [self.client.send("execute_request", self.client.execute_content("sleep 500\nfail x", **first))]
        sent += [self.client.send(msg_type, content) for msg_type, content in requests]
        replies = [self.client.receive() for _ in sent]
        outputs = [self.client.outputs(msg_id) for msg_id in sent]
        return sent, replies, outputs

    def test_queued_executes_are_aborted(self):
        execute = ("execute_request", self.client.execute_content("print x"))
        before = self.client.execute("#")[0].content["execution_count"]
        sent, replies, outputs = self.queue(execute, execute)
        self.assertEqual([m.parent["msg_id"] for m in replies], sent)
        for reply in replies[1:]:
            self.assertEqual(reply.type, "execute_reply")
            self.assertEqual({**reply.content, "evalue": ""},
                             {"status": "error", "ename": "ExecutionAborted", "evalue": "", "traceback": [],
                              "execution_count": before + 1})
        self.assertEqual(outputs[1:], [[], []])
        self.assertEqual(self.client.execute("#")[0].content["execution_count"], before + 2)

    def test_others_are_served_in_order(self):
        sent, replies, outputs = self.queue(("kernel_info_request", {}), ("execute_request", self.client.execute_content("#")),
                                      ("complete_request", {"code": "pri", "cursor_pos": 3}),
                                      ("is_complete_request", {"code": "#"}))
        self.assertEqual([m.parent["msg_id"] for m in replies], sent)
        self.assertEqual(replies[1].content["status"], "ok")
        self.assertEqual(replies[2].content["ename"], "ExecutionAborted")
        self.assertEqual(replies[3].content["matches"], ["print"])
        self.assertEqual(replies[4].content["status"], "complete")
        self.assertEqual(outputs[1:], [[], [], [], []])

    def test_stop_on_error_false(self):
        _, replies, _ = self.queue(("execute_request", self.client.execute_content("#")), stop_on_error=False)
        self.assertEqual([m.content["status"] for m in replies], ["error", "ok"])

    def test_stop_on_error_is_the_default(self):
        first = self.client.send("execute_request", {"code": "sleep 500\nfail x"})
        second = self.client.send("execute_request", {"code": "#"})
        self.assertEqual(self.client.reply(first).content["ename"], "E0001")
        self.assertEqual(self.client.reply(second).content["ename"], "ExecutionAborted")

    def test_what_comes_after_the_reply_runs(self):
        for _ in range(20):
            self.assertEqual(self.client.execute("fail x")[0].content["status"], "error")
            self.assertEqual(self.client.execute("#")[0].content["status"], "ok")

    def test_other_clients_are_queued_too(self):
        other = self.kernel.client().ready()
        first = self.client.start_execute("sleep 500\nfail x")
        reply, _ = other.execute("#")
        self.assertEqual(reply.content["ename"], "ExecutionAborted")
        self.assertEqual(self.client.reply(first).content["ename"], "E0001")
        other.close()


class Output(harness.KernelCase):
    def test_characters_are_never_cut(self):
        text = "aé漢🙂z"
        reply, outputs = self.client.execute("bytes " + text.encode().hex())
        self.assertEqual(stream_text(outputs), text)

    def test_invalid_bytes_are_replaced(self):
        _, outputs = self.client.execute("bytes 61ff62e282\nprint c")
        self.assertEqual(stream_text(outputs).replace("\ufffd\ufffd", "\ufffd"), "a\ufffdb\ufffdc\n")
        _, outputs = self.client.execute("bytes 61f09f99")
        self.assertEqual(stream_text(outputs).rstrip("\ufffd"), "a")
        self.assertNotEqual(stream_text(outputs), "a")

    def test_control_characters(self):
        text = "".join(chr(c) for c in range(1, 128)) + '"\\'
        _, outputs = self.client.execute("bytes " + text.encode().hex())
        self.assertEqual(stream_text(outputs), text)

    def test_one_write_is_one_message(self):
        _, outputs = self.client.execute("blob 60000")
        self.assertEqual([len(m.content["text"]) for m in outputs[1:]], [60000])

    def test_big_writes_are_split_and_lossless(self):
        _, outputs = self.client.execute("blob 3000000")
        self.assertEqual(stream_text(outputs), "x" * 3000000)
        self.assertLessEqual(max(len(m.content["text"]) for m in outputs[1:]), 65536)

    def test_many_lines(self):
        for n in (100000, 1000000):
            _, outputs = self.client.execute(f"lines {n}")
            self.assertEqual(stream_text(outputs), "".join(f"{i}\n" for i in range(1, n + 1)))
            self.assertLess(len(outputs), n / 100, "text is coalesced")

    def test_first_text_comes_while_the_cell_runs(self):
        msg_id = self.client.start_execute("print early\nsleep 60000\nprint late")
        self.assertEqual(self.client.receive("iopub").content.get("text"), "early\n")
        self.client.ask("interrupt_request", channel="control")
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")


tap.run_unittest(Execute, StopOnError, Output)
tap.done_testing()
