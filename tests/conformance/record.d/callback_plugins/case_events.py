"""Writes what a playbook run does as JSON lines, for the goldens of the conformance cases.

The lines have the schema that tests/conformance/README.md gives, so that a run of
driftless can be laid beside them. The file's name comes from CASE_EVENTS.
"""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: case_events
type: aggregate
short_description: JSON lines for conformance cases
description: Writes every event of a run to the file that CASE_EVENTS names.
"""


def _plain(value):
    """Dates as Ansible's own JSON has them."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "case_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._out = open(os.environ["CASE_EVENTS"], "a", encoding="ascii")

    def _write(self, event, **fields):
        line = {"event": event}
        line.update(fields)
        self._out.write(json.dumps(line, default=_plain) + "\n")
        self._out.flush()

    def _task_start(self, task, handler):
        self._write(
            "task_start",
            task=task.get_name().strip(),
            action=getattr(task, "resolved_action", None) or task.action,
            handler=handler,
        )

    def _outcome(self, result, status, ignored=False):
        data = dict(result.result)
        # The items were events of their own.
        if data.get("results") is not None and result.task.loop is not None:
            data.pop("results")
        self._write(
            "result",
            host=result.host.get_name(),
            task=result.task.get_name().strip(),
            status=status,
            ignored=bool(ignored),
            result=data,
        )

    def _item(self, result, status):
        data = dict(result.result)
        loop_var = data.get("ansible_loop_var", "item")
        self._write(
            "item",
            host=result.host.get_name(),
            status=status,
            item=data.get(loop_var),
            result=data,
        )

    @staticmethod
    def _ok_or_changed(result):
        return "changed" if result.is_changed() else "ok"

    def v2_playbook_on_play_start(self, play):
        self._write("play_start", play=play.get_name().strip())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._task_start(task, handler=False)

    def v2_playbook_on_handler_task_start(self, task):
        self._task_start(task, handler=True)

    def v2_playbook_on_include(self, included_file):
        self._write(
            "include",
            file=str(included_file._filename),
            hosts=sorted(host.get_name() for host in included_file._hosts),
        )

    def v2_playbook_on_no_hosts_matched(self):
        self._write("no_hosts")

    def v2_runner_on_ok(self, result):
        self._outcome(result, self._ok_or_changed(result))

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._outcome(result, "failed", ignore_errors)

    def v2_runner_on_skipped(self, result):
        self._outcome(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self._outcome(result, "unreachable", result.task.ignore_unreachable)

    def v2_runner_item_on_ok(self, result):
        self._item(result, self._ok_or_changed(result))

    def v2_runner_item_on_failed(self, result):
        self._item(result, "failed")

    def v2_runner_item_on_skipped(self, result):
        self._item(result, "skipped")

    def v2_playbook_on_stats(self, stats):
        hosts = {}
        for host in sorted(stats.processed):
            summary = stats.summarize(host)
            summary["failed"] = summary.pop("failures")
            hosts[host] = summary
        self._write("stats", hosts=hosts, custom=stats.custom)
