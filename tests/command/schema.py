#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The output of status and list is what vortex-status.schema.json says, and that says something.

usage: schema.py SCHEMA FILE...     each FILE holds what --json printed

Prints each mistake; needs python3-jsonschema, exit status 77 without it.
"""

import copy
import json
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing")
    sys.exit(77)

VERDICTS = {"running", "orphaned", "busy", "stale", "unproved", "invalid", "not running"}


def mangled(instance):
    """(what was done, instance) for each way to spoil an instance that a reader would stumble on."""
    for name, value in instance.items():
        less = copy.deepcopy(instance)
        del less[name]
        yield f"without {name}", less
        for other in ([], {}, "", -1, 0.5):
            if other != value:
                yield f"with {name} = {other!r}", {**instance, name: other}
    yield "with a member more", {**instance, "more": None}


def check_schema(schema):
    """It is one, and describes every member."""
    jsonschema.Draft202012Validator.check_schema(schema)
    if schema["$schema"] != "https://json-schema.org/draft/2020-12/schema":
        yield "the schema is of another draft"
    instance = schema["$defs"]["instance"]
    if instance["additionalProperties"] is not False:
        yield "the schema lets anything in"
    if set(instance["required"]) != set(instance["properties"]):
        yield "a member is not required"
    for name, what in instance["properties"].items():
        if not what.get("description", "").endswith("."):
            yield f"the schema does not describe {name}"


def check_instances(schema, instances):
    """Each member was seen with a value and, where it may be null, as null; each word was used."""
    properties = schema["$defs"]["instance"]["properties"]
    for name, what in properties.items():
        seen = [x[name] for x in instances]
        if all(x is None for x in seen):
            yield f"{name} was never seen"
        if "null" in what.get("type", []) and None not in seen:
            yield f"{name} was never null"
    missing = VERDICTS - {x["verdict"] for x in instances}
    if missing:
        yield f"never seen: {', '.join(sorted(missing))}"
    for word in set(properties["health"]["enum"]) - {x["health"] for x in instances}:
        yield f"health was never {word}"


def main(path, *outputs):
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.Draft202012Validator(schema)
    member_validator = jsonschema.Draft202012Validator(schema["$defs"]["instance"])
    mistakes = list(check_schema(schema))
    instances, single = [], []
    for name in outputs:
        with open(name, encoding="utf-8") as file:
            found = json.load(file)
        if isinstance(found, list):
            instances += found
        else:
            single.append(found)
            for error in member_validator.iter_errors(found):
                mistakes.append(f"{name}: {'/'.join(map(str, error.path))}: {error.message}")
        if not validator.is_valid(found):
            mistakes.append(f"{name}: it is not what the schema says")
    mistakes += check_instances(schema, instances + single)
    spoiled = 0
    for instance in single:
        for what, text in mangled(instance):
            spoiled += 1
            if validator.is_valid(text) or (spoiled % 10 == 0 and validator.is_valid([text])):
                mistakes.append(f"{instance['name']}: accepted {what}")
    print("\n".join(mistakes + [f"{len(instances)} instances in lists, {len(single)} alone"]))
    return 1 if mistakes or not spoiled else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
