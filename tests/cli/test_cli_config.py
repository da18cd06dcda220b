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
    path.write_text(text)
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
    ("memory = -5\n", ("'memory' in ", "expected a string, a number")),
    ("boot-timeout = 1979-05-27\n", ("'boot-timeout' in ", "expected a string, a number")),
    ("[ipxe]\na = 1\n", ("'ipxe' in ", "not object")),
    ("firmware = 'floppy'\n", ("'firmware' in ", "invalid value 'floppy'")),
    ("a = " + "[" * 5000, ("a.toml is not valid TOML",)),
    ("a = \"\xff\n", ("a.toml is not valid TOML", "line 1")),
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
