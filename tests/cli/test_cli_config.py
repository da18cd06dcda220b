"""--config: JSON and TOML, and the schema that editors check them with."""

import json
import pathlib
import re

import jsonschema
import pytest

from launch import ROOT, launch

SCHEMA = ROOT / "docs/config.schema.json"

EXAMPLES = sorted((ROOT / "examples").glob("*.json")) + sorted((ROOT / "examples").glob("*.toml"))

TOML = """
# A guest on a bridge
ipxe = true
memory = 512
cpus = "half"
"boot-order" = ["network", "hd"]
nic = ["mode=nat,model=e1000"]
extra-args = ["-global", "x.y=a b"]
"""
SAME_IN_JSON = {
    "ipxe": True, "memory": 512, "cpus": "half", "boot-order": ["network", "hd"], "nic": ["mode=nat,model=e1000"],
    "extra-args": ["-global", "x.y=a b"],
}


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def planned(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return launch("plan", "--accel", "tcg", "--config", path)


def test_the_schema_is_what_the_program_prints():
    assert launch("help", "schema").stdout == SCHEMA.read_text(), "make it anew: vm-launch help schema > docs/config.schema.json"


def test_toml_says_what_json_does(tmp_path, validator):
    toml = planned(tmp_path, "a.toml", TOML)
    assert toml.returncode == 0, toml.stderr
    assert toml.stdout.replace("a.toml", "a.json") == planned(tmp_path, "a.json", json.dumps(SAME_IN_JSON)).stdout
    assert list(validator.iter_errors(SAME_IN_JSON)) == []


@pytest.mark.parametrize(("text", "words"), [
    ("ipxe = true\nmemory = = 3\n", ("a.toml is not valid TOML", "line 2, column ")),
    ("ipxe = true\nipxe = false\n", ("a.toml is not valid TOML", "line 2, column ")),
    ("ixpe = true\n", ("'ixpe' in ", "unknown setting", "did you mean ipxe?")),
    ("memory = -5\n", ("'memory' in ", "expected a string or a whole number from 0, not a negative number")),
    ("boot-timeout = 1979-05-27\n", ("'boot-timeout' in ", "not a date")),
    ("[ipxe]\na = 1\n", ("'ipxe' in ", "not a table")),
    ("firmware = 'floppy'\n", ("'firmware' in ", "invalid value 'floppy'")),
    ("a = " + "[" * 5000, ("a.toml is not valid TOML",)),
    ("a = \"unended\n", ("a.toml is not valid TOML", "line 1")),
    (b'a = "\xff"\n', ("a.toml is not valid TOML", "line 1")),
    ("a." * 100000 + "a = 1\n", ("a.toml is not valid TOML", "its keys may nest too deep")),
    ('a = ["\\"\'", {' + "b." * 100000 + "b = 1}]\n", ("a.toml is not valid TOML", "its keys may nest too deep")),
    ("a = [\n" + ("{b" + ".b" * 250 + " = [\n") * 100, ("a.toml is not valid TOML",)),
    ("# " + "." * 1000 + "\nixpe = '''\n" + "." * 1000 + "'''\n", ("unknown setting",)),
    ("memory = {}\n", ("'memory' in ", "expected a string or a whole number from 0, not a table")),
    ('smbios = ["manufacturer=A, Inc."]\n', ("'smbios' in ", "'manufacturer=A, Inc.' has a comma")),
    ("cpus = true\n", ("'cpus' in ", "expected a value, not a boolean")),
])
def test_faults_in_toml_name_line_or_key(tmp_path, text, words):
    result = planned(tmp_path, "a.toml", text)
    assert result.returncode == 2
    for word in words:
        assert word in result.stderr


def test_the_examples_are_taken_by_schema_and_program(tmp_path, validator):
    assert EXAMPLES
    for example in EXAMPLES:
        if example.suffix == ".json":
            assert list(validator.iter_errors(json.loads(example.read_text()))) == [], example
        result = launch("plan", "--accel", "tcg", "--config", example)
        assert result.returncode == 0 or result.returncode == 3 and "there is no such bridge" in result.stderr, result.stderr


@pytest.mark.parametrize("broken", [
    {"ixpe": True}, {"ipxe": "maybe"}, {"ipxe": 3}, {"memory": -5}, {"memory": 1.5}, {"memory": []}, {"firmware": "floppy"}, {"boot-order": ["floppy"]},
    {"boot-order": [1]}, {"nic": [{}]}, {"disk": 7}, {"network": None}, {"nic-model": "e9000"}, {"name": ["a"]}, [], "x", {"name": {"a": 1}},
])
def test_what_the_schema_refuses_the_program_refuses(tmp_path, validator, broken):
    assert list(validator.iter_errors(broken)), broken
    assert planned(tmp_path, "a.json", json.dumps(broken)).returncode == 2


def test_a_key_that_is_there_twice_is_a_mistake_in_json_too(tmp_path):
    result = planned(tmp_path, "a.json", '{"ipxe": true, "ipxe": false}')
    assert result.returncode == 2
    assert "'ipxe' in " in result.stderr and "it is there twice" in result.stderr


def test_a_file_without_end_is_no_configuration():
    result = launch("plan", "--config", "/dev/zero")
    assert (result.returncode, "cannot read /dev/zero" in result.stderr, "File too large" in result.stderr) == (2, True, True)


def test_toml_under_another_name_is_told_of(tmp_path):
    assert "TOML is read where the file's name ends with .toml" in planned(tmp_path, "a.conf", "ipxe = true\n").stderr


def test_a_password_is_in_no_message(tmp_path):
    result = planned(tmp_path, "a.json", '{"guest-password": "hunter2}')
    assert (result.returncode, "hunter2" in result.stderr) == (2, False)
    assert "is not valid JSON" in result.stderr and "missing closing quote" in result.stderr


@pytest.mark.parametrize("value", [True, 5, -1, 1.5, [], {}, ["x", 5]], ids=str)
def test_schema_and_program_agree_on_types(tmp_path, validator, value):
    """Of each setting: what the schema takes is of no wrong type, and what it refuses the program refuses.

    Of words the program takes more: 1 for true, upper case."""
    keys = [key for key in validator.schema["properties"] if key != "$schema"]
    told = planned(tmp_path, "a.json", json.dumps(dict.fromkeys(keys, value))).stderr
    for key in keys:
        lines = [line for line in told.splitlines() if f"'{key}' in " in line]
        errors = list(validator.iter_errors({key: value}))
        if not errors:
            assert not [line for line in lines if ": expected a" in line], (key, lines)
        elif any("enum" not in str(error.schema) for error in errors):
            assert lines, (key, errors[0].message)


def test_every_setting_is_in_the_schema_with_its_description_and_default(validator):
    properties = validator.schema["properties"]
    flags = re.findall(r"^\| `--([a-z-]+)", (ROOT / "docs/SETTINGS.md").read_text(), re.MULTILINE)
    assert len(flags) > 60
    assert set(properties) == {*flags, "$schema"}
    for name in flags:
        assert properties[name]["description"], name
    assert properties["fast-boot"]["default"] is True
    assert properties["memory"]["default"] == 4096
    assert properties["network"]["default"] == "nat"
    assert properties["network"]["enum"][:3] == ["nat", "bridge", "direct"]
    assert properties["guest-password"]["writeOnly"] is True


def test_a_file_may_name_its_schema(tmp_path):
    assert planned(tmp_path, "a.json", '{"$schema": "config.schema.json", "ipxe": true}').returncode == 0
