"""The examples are right by those who read them: systemd, Docker Compose, Kubernetes' own models; and by vm-launch."""

import json
import re
import subprocess

import pytest

from launch import BINARY, DEADLINE, ROOT, environment, launch

EXAMPLES = ROOT / "examples"


def test_the_systemd_unit_is_verified(tmp_path):
    """By systemd-analyze, which also looks whether the program is there: in its place stands the one under test."""
    unit = tmp_path / "vm-launch@web.service"
    text = (EXAMPLES / "vm-launch@.service").read_text()
    unit.write_text(text.replace("ExecStart=vm-launch", f"ExecStart={BINARY}"))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_the_systemd_units_own_words_are_known(tmp_path):
    config = tmp_path / "web.json"
    config.write_text("{}")
    [command] = re.findall(r"^ExecStart=vm-launch (.*)$", (EXAMPLES / "vm-launch@.service").read_text(), re.M)
    words = command.replace("%i", "web").replace("/etc/vm-launch/web.json", str(config))
    words = words.replace("/var/lib/vm-launch", str(tmp_path)).split()
    result = launch("plan", *words[1:], "--ipxe")
    assert "unknown option" not in result.stderr
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("mode", ["nat", "bridge", "direct"])
def test_the_compose_files_are_valid(mode):
    result = subprocess.run(
        ["docker-compose", "-f", EXAMPLES / f"compose.{mode}.yaml", "config", "-q"],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def variables_of_compose():
    yaml = pytest.importorskip("yaml")
    for mode in ("nat", "bridge", "direct"):
        compose = yaml.safe_load((EXAMPLES / f"compose.{mode}.yaml").read_text())
        yield compose["services"]["vm"]["environment"]


def pods():
    yaml = pytest.importorskip("yaml")
    return list(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text()))


def test_every_variable_of_the_examples_is_a_setting():
    """A VM cannot be planned for bridges that are not here; that nothing else is wrong is what counts."""
    from_pods = [{e["name"]: e["value"] for e in pod["spec"]["containers"][0]["env"]} for pod in pods()]
    assert from_pods
    known = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs/SETTINGS.md").read_text()))
    for variables in [*variables_of_compose(), *from_pods]:
        assert set(variables) <= known
        result = launch("plan", env=environment(**variables))
        assert "unknown variable" not in result.stderr
        assert result.returncode != 2, result.stderr


def check(model, value, where):
    """Each key is one of the model's attributes, and so on inwards. `model` is a class of Kubernetes' Python client,
    which is generated from its OpenAPI description."""
    from kubernetes import client

    names = {json_name: attribute for attribute, json_name in model.attribute_map.items()}
    for key, inner in value.items():
        assert key in names, f"{where}: {model.__name__} has no {key}"
        kind = model.openapi_types[names[key]]
        elements = inner if isinstance(inner, list) else [inner]
        name = re.sub(r"^list\[(.*)\]$", r"\1", kind)
        assert kind.startswith("list[") == isinstance(inner, list), f"{where}.{key}: {kind}"
        for element in elements:
            if hasattr(client, name):
                check(getattr(client, name), element, f"{where}.{key}")
            else:
                check_plain(name, element, f"{where}.{key}")


def check_plain(name, value, where):
    kinds = {"str": str, "int": int, "bool": bool}
    if name in kinds:
        assert type(value) is kinds[name], f"{where} is no {name}"
    elif name.startswith("dict("):
        assert all(isinstance(inner, str) for inner in value.values()), f"{where}: values must be strings"
    else:
        assert name == "object", f"{where}: {name}"


def test_the_kubernetes_manifest_fits_the_api():
    client = pytest.importorskip("kubernetes").client
    api = client.ApiClient()

    class Answer:
        def __init__(self, pod):
            self.data = json.dumps(pod)

    for pod in pods():
        assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")
        check(client.V1Pod, pod, pod["metadata"]["name"])
        api.deserialize(Answer(pod), "V1Pod")  # requires what is required


def test_no_service_of_the_cluster_reaches_a_pods_settings():
    assert pods() and all(pod["spec"]["enableServiceLinks"] is False for pod in pods())


def test_the_pods_ask_for_what_their_network_needs():
    by_name = {pod["metadata"]["name"]: pod["spec"] for pod in pods()}
    security = {name: spec["containers"][0]["securityContext"] for name, spec in by_name.items()}
    assert security["vm-nat"]["capabilities"]["add"] == ["CHOWN", "SETGID", "SETUID"]
    assert "NET_ADMIN" in security["vm-bridge"]["capabilities"]["add"]
    assert "devices.kubevirt.io/tun" in by_name["vm-bridge"]["containers"][0]["resources"]["limits"]
    for spec in by_name.values():
        [container] = spec["containers"]
        assert container["livenessProbe"]["exec"]["command"][:2] == ["vm-launch", "health"]
        assert spec["terminationGracePeriodSeconds"] > 8
