"""`cargo xtask logs` with CloudWatch Logs as it answers in AWS. Needs no stack and no network."""

import argparse
import contextlib
import dataclasses
import datetime
import io
import json
import unittest
from unittest import mock

import boto3
from botocore.stub import ANY, Stubber

import logs

CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
IMAGE = "0193a5a0-0000-7000-8000-000000000001"
ARN = "arn:aws:states:us-east-1:123456789012:execution:labels-label-image:one"
TIME = datetime.datetime(2026, 11, 29, 12, 0, 0, tzinfo=datetime.timezone.utc)
GROUPS = ["/aws/lambda/labels", "/aws/vendedlogs/states/labels-label-image"]


def event(value, at=0, **more):
    """An event of FilterLogEvents, `at` seconds after TIME."""
    text = value if isinstance(value, str) else json.dumps(value)
    moment = TIME + datetime.timedelta(seconds=at)
    return {"eventId": f"{at} {text}", "timestamp": int(moment.timestamp() * 1000), "message": text, **more}


def handled(at=0, **more):
    """An event of a function that has handled an image."""
    moment = logs.utc(TIME + datetime.timedelta(seconds=at))
    span = {"function": "validate", "imageId": IMAGE, "execution": ARN, **more}
    fields = {"message": "handled", "milliseconds": at}
    return event({"timestamp": moment, "level": "INFO", "fields": fields, "span": span}, at)


class LineTest(unittest.TestCase):
    def test_a_line_shows_time_level_function_message_and_fields(self):
        self.assertEqual(
            str(logs.parse(handled(12))),
            f"2026-11-29T12:00:12.000Z  INFO   validate        handled  milliseconds=12 image={IMAGE} execution=one",
        )

    def test_an_error_of_a_state_machine_names_its_execution(self):
        line = logs.parse(event({"type": "TaskFailed", "execution_arn": ARN, "details": {"error": "AccessDenied"}}))
        self.assertEqual((line.function, line.level, line.execution), ("labels-label-image", "ERROR", ARN))
        self.assertIn("TaskFailed  error=AccessDenied execution=one", str(line))

    def test_only_failed_invocations_of_lambdas_own_lines_are_for_people(self):
        stream = "2026/11/29/labels-thumbnails[$LATEST]0123"

        def report(**record):
            return logs.parse(event({"type": "platform.report", "record": record}, logStreamName=stream))

        failed = report(status="timeout")
        self.assertFalse(failed.is_for_programs)
        self.assertEqual((failed.function, failed.level), ("labels-thumbnails", "ERROR"))
        self.assertTrue(report(status="success").is_for_programs)
        self.assertTrue(logs.parse(event({"type": "platform.start", "record": {}})).is_for_programs)
        self.assertTrue(logs.parse(event({"_aws": {}, "Pictures": 1})).is_for_programs)
        self.assertTrue(logs.parse(event("REPORT RequestId: 1\tDuration: 2 ms")).is_for_programs)

    def test_the_terminal_gets_no_control_characters(self):
        for value in ("\x1b[2Jmemory allocation failed", {"fields": {"message": "\x1b]0;title\x07", "a": "\x9b"}}):
            printed = str(logs.parse(event(value)))
            self.assertTrue(printed.isprintable(), printed)

    def test_lines_of_any_shape_can_be_read(self):
        for value in ("", "[1]", "null", "{", {}, {"span": 1, "fields": [1]}, {"timestamp": "?"}, {"execution_arn": 1}):
            str(logs.parse(event(value)))


class SelectionTest(unittest.TestCase):
    def test_the_pattern_selects_the_lines_that_the_saved_query_selects(self):
        selection = logs.Selection(image=IMAGE, executions=(ARN,))
        about = f'($.span.imageId = "{IMAGE}") || ($.span.execution = "{ARN}") || ($.execution_arn = "{ARN}")'
        self.assertEqual(selection.patterns(), [f"{{ ({about}) }}"])
        of_machine = {"type": "ExecutionFailed", "execution_arn": ARN}
        for value in (handled(), handled(imageId=None), handled(execution=None), event(of_machine)):
            self.assertTrue(selection.matches(logs.parse(value)))
        for value in (handled(imageId=None, execution=None), handled(imageId="x", execution="y"), event("text")):
            self.assertFalse(selection.matches(logs.parse(value)))

    def test_an_execution_can_be_selected_by_its_name(self):
        selection = logs.Selection(executions=("one",))
        self.assertEqual(
            selection.patterns(), ['{ (($.span.execution = "*:one") || ($.execution_arn = "*:one")) }']
        )
        self.assertTrue(selection.matches(logs.parse(handled())))
        self.assertFalse(selection.matches(logs.parse(handled(execution=f"{ARN}-two"))))

    def test_all_conditions_must_hold(self):
        selection = logs.Selection(image=IMAGE, function="validate", levels=("ERROR", "WARN"))
        [pattern] = selection.patterns()
        self.assertEqual(
            pattern,
            f'{{ (($.span.imageId = "{IMAGE}")) && ($.span.function = "validate") && '
            '(($.level = "ERROR") || ($.level = "WARN") || ($.execution_arn = "*") || ($.record.status = "error") || '
            '($.record.status = "failure") || ($.record.status = "timeout")) }',
        )
        self.assertFalse(selection.matches(logs.parse(handled())))
        self.assertEqual(logs.Selection().patterns(), [""])

    def test_long_patterns_are_split(self):
        arns = tuple(f"{ARN}{'x' * 70}{number}" for number in range(logs.MAX_EXECUTIONS))
        patterns = logs.Selection(image=IMAGE, executions=arns, levels=logs.LEVELS).patterns()
        self.assertGreater(len(patterns), 1)
        for pattern in patterns:
            self.assertLessEqual(len(pattern), logs.MAX_PATTERN)
            self.assertTrue(pattern.endswith('($.record.status = "timeout")) }'), pattern)
        for arn in arns:
            self.assertEqual(sum(f'($.span.execution = "{arn}")' in pattern for pattern in patterns), 1)


class LogsTest(unittest.TestCase):
    def setUp(self):
        client = boto3.session.Session().client("logs", **CREDENTIALS)
        self.stub = Stubber(client)
        self.stub.activate()
        self.addCleanup(self.stub.assert_no_pending_responses)
        for patch in (
            mock.patch.object(boto3, "client", lambda service, **options: client),
            mock.patch.object(logs, "describe", lambda stack: {}),
            mock.patch.object(logs, "resources", lambda stack, kind: GROUPS[:1]),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def page(self, events, pattern="", token=None, next_token=None, newest_first=True):
        """A page that the log has."""
        expected = {
            "logGroupName": GROUPS[0],
            "startTime": ANY,
            "filterPattern": pattern,
            "startFromHead": not newest_first,
        }
        answer = {"events": events, **({"nextToken": next_token} if next_token else {})}
        self.stub.add_response("filter_log_events", answer, {**expected, **({"nextToken": token} if token else {})})

    def run_command(self, **options):
        """Runs the command. Returns the lines of its output, and its remarks."""
        defaults = dict.fromkeys(("image", "execution", "function", "level"))
        flags = {"follow": False, "json": False}
        arguments = {"stack_name": "labels", "since": 3600, "limit": 1000, **defaults, **flags, **options}
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            logs.run(argparse.Namespace(**arguments))
        return out.getvalue().splitlines(), err.getvalue()

    def test_the_newest_lines_are_printed_in_order_and_older_ones_are_not_read(self):
        self.page([handled(5), handled(4)], next_token="2")
        # A page can be empty, and does not mean that the log ends.
        self.page([], token="2", next_token="3")
        self.page([handled(3), handled(2)], token="3", next_token="4")
        printed, remarks = self.run_command(limit=3)
        self.assertEqual([line.split("milliseconds=")[1][0] for line in printed], ["3", "4", "5"])
        self.assertIn("newest 3 lines", remarks)

    def test_lines_for_programs_do_not_count(self):
        metrics = [event({"_aws": {}}, at) for at in range(6, 9)]
        self.page([*reversed(metrics), handled(1)])
        printed, remarks = self.run_command(limit=1)
        self.assertEqual((len(printed), remarks), (1, ""))

    def test_json_has_every_line_as_an_object_or_a_string(self):
        values = [{"_aws": {"Timestamp": 1}}, "text\x1b", {"fields": {"message": "ü\x7f"}}]
        self.page([event(value, -at) for at, value in enumerate(values)])
        printed, _ = self.run_command(json=True)
        self.assertEqual([json.loads(line) for line in printed], values[::-1])
        self.assertTrue(all(line.isascii() and line.isprintable() for line in printed))

    def test_an_image_is_followed_through_lines_that_name_only_its_execution(self):
        about_image = logs.Selection(image=IMAGE).patterns()[0]
        about_both = logs.Selection(image=IMAGE, executions=(ARN,)).patterns()[0]
        self.page([handled(1)], about_image)
        failure = {"level": "ERROR", "fields": {"message": "failed"}, "span": {"function": "f", "execution": ARN}}
        self.page([event(failure, 2), handled(1)], about_both)
        printed, _ = self.run_command(image=IMAGE)
        self.assertEqual([line.split()[1] for line in printed], ["INFO", "ERROR"])

    def test_advises_to_look_further_back_if_there_is_nothing(self):
        self.page([])
        self.assertEqual(self.run_command()[0], [])
        self.page([])
        self.assertIn("--since", self.run_command()[1])

    def test_a_search_of_too_many_pages_ends_and_says_so(self):
        with mock.patch.object(logs, "MAX_PAGES", 2):
            self.page([], next_token="2")
            self.page([], token="2", next_token="3")
            _, remarks = self.run_command()
        self.assertIn("too large", remarks)

    def test_the_emulator_answers_in_the_order_of_time_without_tokens(self):
        with mock.patch.object(logs, "PAGE", 2):
            self.page([handled(1), handled(2)])
            self.page([handled(2), handled(3)])
            self.page([handled(3)])
            printed, _ = self.run_command(limit=2)
        self.assertEqual([line.split("milliseconds=")[1][0] for line in printed], ["2", "3"])

    def test_follow_prints_late_lines_once_and_ends_at_the_limit(self):
        self.page([handled(1)])
        self.page([handled(1), handled(3)], newest_first=False)
        # A line that arrives late.
        self.page([handled(1), handled(2), handled(3)], newest_first=False)
        self.page([handled(3), handled(4), handled(5)], newest_first=False)
        log = logs.Log("labels")
        printer = logs.Printer(limit=3, as_json=False)
        found, _ = log.newest(logs.Selection(), TIME, 10, printer.is_wanted)
        clock = lambda: TIME + datetime.timedelta(seconds=5)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            logs.follow(log, logs.Selection(), found, printer, clock(), None, clock, lambda seconds: None)
        printed = [line.split("milliseconds=")[1][0] for line in out.getvalue().splitlines()]
        self.assertEqual(printed, ["3", "2", "4"])

    def test_follow_misses_no_line_when_a_read_takes_long(self):
        seconds = lambda number: TIME + datetime.timedelta(seconds=number)
        log = mock.Mock()
        log.since.side_effect = [[("a", logs.parse(handled(30)))], [("b", logs.parse(handled(200)))]]
        clock = iter([seconds(100), seconds(300)])
        printer = logs.Printer(limit=2, as_json=False)
        with contextlib.redirect_stdout(io.StringIO()):
            logs.follow(log, logs.Selection(), {}, printer, TIME, None, lambda: next(clock), lambda seconds: None)
        since = [call.args[1] for call in log.since.call_args_list]
        self.assertEqual(since, [seconds(-logs.LATE), seconds(100 - logs.LATE)])

    def test_follow_prints_lines_of_a_long_invocation_once(self):
        """The emulator stores all lines of an invocation with the time of its end."""
        line = dataclasses.replace(logs.parse(handled(1)), received=TIME + datetime.timedelta(seconds=50))
        log = mock.Mock()
        log.since.side_effect = [[("a", line)], [("a", line)], [("a", line), ("b", logs.parse(handled(52)))]]
        printer = logs.Printer(limit=2, as_json=False)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            clock = lambda: TIME + datetime.timedelta(seconds=51)
            logs.follow(log, logs.Selection(), {}, printer, clock(), None, clock, lambda seconds: None)
        self.assertEqual(len(out.getvalue().splitlines()), 2)

    def test_follow_does_not_print_lines_before_the_newest_ones(self):
        newest = logs.parse(handled(3))
        log = mock.Mock()
        log.since.return_value = [("new", logs.parse(handled(4)))]
        printer = logs.Printer(limit=1, as_json=False)
        with contextlib.redirect_stdout(io.StringIO()):
            seen, clock = {"newest": newest}, lambda: TIME
            logs.follow(log, logs.Selection(), seen, printer, TIME, newest.time, clock, lambda seconds: None)
        self.assertEqual(log.since.call_args.args[1], newest.time)

    def test_follow_selects_executions_that_start_later(self):
        selection = logs.Selection(image=IMAGE)
        self.page([handled(1)], selection.patterns()[0], newest_first=False)
        both = logs.Selection(image=IMAGE, executions=(ARN,)).patterns()[0]
        self.page([handled(2)], both, newest_first=False)
        printer = logs.Printer(limit=2, as_json=False)
        with contextlib.redirect_stdout(io.StringIO()):
            logs.follow(logs.Log("labels"), selection, {}, printer, TIME, None, lambda: TIME, lambda seconds: None)


if __name__ == "__main__":
    unittest.main()
