"""The rules that the checks of the documents follow, each met and broken."""

import unittest

import changelog

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


if __name__ == "__main__":
    unittest.main()
