#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each row of docs/enforcing.md, "When things fail", names the tests that try it, and they are there."""
import ast
import pathlib
import re
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent


def tests_of(path):
    """Every Class.test_name of a test file."""
    tree = ast.parse((SOURCE / path).read_text(encoding="utf-8"))
    return {f"{case.name}.{test.name}" for case in tree.body if isinstance(case, ast.ClassDef)
            for test in case.body if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")}


class FailureTable(unittest.TestCase):
    def setUp(self):
        text = (SOURCE / "docs/enforcing.md").read_text(encoding="utf-8").split("\n## When things fail\n")[1]
        failures, tried = text.split("\nEach row is tried:\n")
        self.failures = re.findall(r"^\| `([a-z-]+)` \|", failures, re.MULTILINE)
        self.tried = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", tried, re.MULTILINE))

    def test_each_row_is_tried(self):
        self.assertGreater(len(self.failures), 10)
        self.assertEqual(self.failures, list(self.tried))

    def test_the_tests_exist(self):
        for name, cell in self.tried.items():
            for part in cell.split("; "):
                path, *tests = re.findall(r"`([^`]+)`", part)
                self.assertTrue((SOURCE / path).is_file(), f"{name}: {path}")
                self.assertLessEqual(set(tests), tests_of(path), name)


if __name__ == "__main__":
    unittest.main()
