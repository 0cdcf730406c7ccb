#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON Schema and the reader say the same: test_schema.py SCHEMA BROKEN EXAMPLE...

Examples are valid, and every document that the reader refuses is refused by the schema too, but for
those marked as beyond what a schema can say. Skipped (exit 77) without the jsonschema module."""
import json
import sys

try:
    import jsonschema
    VALIDATOR = jsonschema.Draft202012Validator
except (ImportError, AttributeError):
    print("SKIPPED: needs python3-jsonschema with draft 2020-12")
    sys.exit(77)


def document_of(case):
    if "document" in case:
        return case["document"]
    return {"format": "rtguard-profile/1", "policy": case["policy"]}


def main():
    schema_path, broken_path, *examples = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    VALIDATOR.check_schema(schema)
    validator = VALIDATOR(schema)
    failures = 0
    checked = 0

    for path in examples:
        with open(path, encoding="utf-8") as file:
            for error in validator.iter_errors(json.load(file)):
                print(f"{path}: {error.json_path}: {error.message}")
                failures += 1
    with open(broken_path, encoding="utf-8") as file:
        for number, case in enumerate(json.load(file)):
            if "text" in case:
                continue
            checked += 1
            if validator.is_valid(document_of(case)) == case.get("schema", True):
                print(f"case {number} at {case['place']}: the schema and its mark disagree")
                failures += 1
    print(f"{len(examples)} examples, {checked} broken profiles, {failures} failures")
    return 1 if failures or not examples or checked < 100 else 0


sys.exit(main())
