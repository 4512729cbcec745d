"""The rules that the checks of the documents follow, each met and broken."""

import tempfile
import unittest
from pathlib import Path

import changelog
import examples
import links
import options
import visible_texts

CHANGELOG = """# Changelog

## [Unreleased]

- `--new FILE` replaces `--old`.

## 0.1.0

- `--old`.
"""


class Unreleased(unittest.TestCase):
    def test_section_ends_at_next_version(self):
        self.assertIn("--new FILE", changelog.unreleased(CHANGELOG))
        self.assertNotIn("## 0.1.0", changelog.unreleased(CHANGELOG))

    def test_absent_section_is_empty(self):
        self.assertEqual(changelog.unreleased("# Changelog\n\n## 0.1.0\n"), "")


class MissingNames(unittest.TestCase):
    SECTION = changelog.unreleased(CHANGELOG)

    def test_named_changes_pass(self):
        self.assertEqual(changelog.missing_names({"--old"}, {"--new"}, self.SECTION), [])

    def test_unnamed_addition_is_refused(self):
        self.assertEqual(changelog.missing_names({"--old"}, {"--old", "cause"}, self.SECTION),
                         ["cause"])

    def test_unnamed_removal_is_refused(self):
        self.assertEqual(changelog.missing_names({"--old", "turn"}, {"--old"}, self.SECTION),
                         ["turn"])

    def test_name_outside_backticks_does_not_count(self):
        self.assertEqual(changelog.missing_names(set(), {"new"}, "- a new thing"), ["new"])


class Names(unittest.TestCase):
    def test_options_stand_at_the_start_of_a_line(self):
        text = "  -h,--help   Help\n  --json FILE   As --text, not [TAILBACK_JSON]\n"
        self.assertEqual(set(changelog.names_of_options(text)),
                         {"--help", "--json", "TAILBACK_JSON"})

    def test_schema_names_are_keys_and_words(self):
        schema = {"properties": {"type": {"const": "stall"}, "cause": {"enum": ["cpu", None]}}}
        self.assertEqual(set(changelog.names_of_schema(schema)), {"type", "cause", "stall", "cpu"})

    def test_subcommands_are_listed_with_their_meaning(self):
        text = "Names\n\nOptions:\n  -h,--help  Help\n\nSubcommands:\n  run    Run a command\n"
        self.assertEqual(changelog.listed_subcommands(text), [("run", "Run a command")])


class VisibleTexts(unittest.TestCase):
    def test_adjacent_literals_are_one_text(self):
        source = 'say("event loop " // why\n    "blocked");\nsay(R"(two words)", \'"\');'
        self.assertEqual(list(visible_texts.literals_of(source)),
                         ["event loop blocked", "two words"])

    def test_comments_and_includes_have_no_texts(self):
        source = '#include "runtime/a.h"\n// "one two"\n/* "one two" */ int a;\n'
        self.assertEqual(list(visible_texts.literals_of(source)), [])

    def test_escaped_quotes_do_not_end_a_text(self):
        self.assertEqual(list(visible_texts.literals_of(r'say("a \"quoted\" word");')),
                         [r'a \"quoted\" word'])

    def test_only_texts_of_two_words_are_visible(self):
        self.assertTrue(visible_texts.is_visible("{} blocked for {}: {} in {}"))
        self.assertFalse(visible_texts.is_visible("duration_ms"))
        self.assertFalse(visible_texts.is_visible("{}[{}], "))


class Options(unittest.TestCase):
    def test_rows_have_value_variable_and_default(self):
        text = ("  --json FILE     Write [TAILBACK_JSON]\n"
                "  --locks         Sum up\n" + " " * 24 + "locks [TAILBACK_LOCKS]\n"
                "  --exitcode N    Status [TAILBACK_EXITCODE; default 66]\n")
        self.assertEqual(list(options.rows_of(text)), [
            ("--json", "FILE", "Write", "TAILBACK_JSON", None),
            ("--locks", None, "Sum up locks", "TAILBACK_LOCKS", None),
            ("--exitcode", "N", "Status", "TAILBACK_EXITCODE", "66")])

    def test_table_replaces_what_is_between_its_marks(self):
        page = "a\n" + options.BEGIN + "old\n" + options.END + "b\n"
        self.assertEqual(options.with_table(page, "new\n"),
                         "a\n" + options.BEGIN + "\nnew\n\n" + options.END + "b\n")

    def test_page_without_marks_is_refused(self):
        self.assertIsNone(options.with_table("a\n", "new\n"))


class ExampleBlocks(unittest.TestCase):
    PAGE = """Text.

<!-- not run: no network -->
```console
$ tailback run -- curl
```

<!-- example brief from="^a" until="^b" -->
```console
$ tailback run -- one
a
b
$ tailback report
```

```
$ tailback not-an-example
```
"""

    def setUp(self):
        self.found = list(examples.examples_of(Path("page.md"), self.PAGE))

    def test_only_console_blocks_are_examples(self):
        self.assertEqual(len(self.found), 2)

    def test_block_that_is_not_run_has_its_reason(self):
        self.assertEqual(self.found[0].not_run, "no network")

    def test_comment_belongs_to_the_block_below_it(self):
        example = self.found[1]
        self.assertEqual((example.begin, example.end, example.brief, example.not_run),
                         ("^a", "^b", True, ""))

    def test_commands_have_their_output(self):
        shown = [(command.text, command.shown) for command in self.found[1].commands]
        self.assertEqual(shown, [("tailback run -- one", ["a", "b"]), ("tailback report", [])])

    def test_part_ends_with_the_first_match_after_its_begin(self):
        self.assertEqual(examples.part(["b", "a", "c", "b", "b"], "^a", "^b"), ["a", "c", "b"])
        self.assertEqual(examples.part(["a"], "^a", "^b"), [])


class Outputs(unittest.TestCase):
    SHOWN = ["tailback: event loop blocked for 300 ms: sleep in nap (/home/me/app.py:15)",
             "  time     162 µs on CPU, 300 ms blocked",
             "    #5  > nap  /home/me/app.py:15"]

    def test_numbers_folders_and_volatile_lines_may_differ(self):
        came = ["tailback: event loop blocked for 1.2 s: sleep in nap (/tmp/x/app.py:7)", "  more",
                "  time     2 ms on CPU (1 ms in the kernel)",
                "    #12 > nap  /tmp/x/app.py:7"]
        self.assertIsNone(examples.missing_line(self.SHOWN, came))

    def test_other_cause_is_found(self):
        came = ["tailback: event loop blocked for 300 ms: cpu in nap (app.py:15)"]
        self.assertEqual(examples.missing_line(self.SHOWN, came), self.SHOWN[0])

    def test_other_culprit_is_found(self):
        came = [self.SHOWN[0], self.SHOWN[1], "    #5  > doze  /home/me/app.py:15"]
        self.assertEqual(examples.missing_line(self.SHOWN, came), self.SHOWN[2])

    def test_order_counts(self):
        self.assertEqual(examples.missing_line(["b", "a"], ["a", "b"]), "a")

    def test_frames_of_libraries_are_not_compared(self):
        self.assertIsNone(examples.missing_line(["    #0    read  libc.so.6+0x1"], []))


class Links(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.top = Path(self.folder.name)
        (self.top / "docs").mkdir()
        self.page = self.top / "docs/page.md"
        (self.top / "docs/other.md").write_text("# A heading, with `code`\n")

    def tearDown(self):
        self.folder.cleanup()

    def faults(self, text):
        self.page.write_text(text)
        return [*links.broken_links(self.page, text, self.top),
                *links.broken_paths(self.page, text, self.top),
                *links.unknown_names(self.page, text, {"--json"}, {"TAILBACK_JSON"}, self.top)]

    def test_what_is_there_passes(self):
        self.assertEqual(self.faults("[a](other.md#a-heading-with-code) `docs/other.md` `--json FILE` "
                                     "TAILBACK_JSON [b](https://example.org) [c](#own)\n# Own\n"), [])

    def test_missing_file_heading_path_and_names_are_found(self):
        self.assertEqual(len(self.faults("[a](missing.md) [b](other.md#missing) `docs/missing.md` "
                                         "`--missing` TAILBACK_MISSING")), 5)

    def test_code_blocks_are_not_looked_at(self):
        self.assertEqual(self.faults("```\n[a](missing.md)\n```\n"), [])


if __name__ == "__main__":
    unittest.main()
