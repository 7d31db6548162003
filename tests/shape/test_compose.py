"""docker-compose.yml and Dockerfile, as far as they can be held without a Docker engine.

The compose file is held against the real compose schema, then against our own rules; each rule is tried on a bad file.
"""

import copy
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.patience import PATIENCE
from workers.temporal.server import RETENTION, TUNING
from workers.temporal.temporal_cli import VERSION

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "compose-spec.json").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")

Compose = dict[str, Any]


def against_the_schema(compose: Compose) -> list[str]:
    kind = jsonschema.validators.validator_for(SCHEMA)
    return [f"{error.json_path}: {error.message}" for error in kind(SCHEMA).iter_errors(compose)]


def services(compose: Compose) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from compose["services"].items()


def open_to_the_world(compose: Compose) -> list[str]:
    """A published port is bound to loopback; nobody uses the host's network."""
    ports = [(name, port) for name, service in services(compose) for port in service.get("ports", ())]
    wide = [f"{name} publishes {port}" for name, port in ports if not on_loopback(port)]
    return wide + [f"{name} is on the host's network" for name, s in services(compose) if s.get("network_mode")]


def on_loopback(port: Any) -> bool:
    address = port.get("host_ip", "") if isinstance(port, dict) else str(port)
    return address.startswith(("127.0.0.1", "[::1]", "::1"))


def one_shots(compose: Compose) -> set[str]:
    """Services that others wait for to end well."""
    return {
        other
        for _, service in services(compose)
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }


def never_probed(compose: Compose) -> list[str]:
    return [
        f"{name} has no health check and is not waited for to end"
        for name, service in services(compose)
        if "healthcheck" not in service and name not in one_shots(compose)
    ]


def too_mighty(compose: Compose) -> list[str]:
    """Nobody is root, privileged, or can become more than it is."""
    problems = []
    for name, service in services(compose):
        user = str(service.get("user", "0")).split(":")[0]
        if user in {"0", "root"}:
            problems.append(f"{name} runs as root")
        if service.get("privileged") or service.get("cap_add") or service.get("pid") == "host":
            problems.append(f"{name} has more power than it needs")
        if service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", ()):
            problems.append(f"{name} keeps power it does not need")
        if any("docker.sock" in str(volume) for volume in service.get("volumes", ())):
            problems.append(f"{name} holds the Docker engine")
    return problems


def mislaid(compose: Compose) -> list[str]:
    """Every volume, network and config that is used is declared, and the other way round."""
    problems = []
    for kind in ("volumes", "networks", "configs"):
        used = {source(item) for _, service in services(compose) for item in service.get(kind, ())}
        used = {name for name in used if kind != "volumes" or not name.startswith((".", "/"))}
        declared = set(compose.get(kind, {}))
        problems += [f"{kind}: {name} is used but not declared" for name in sorted(used - declared)]
        problems += [f"{kind}: {name} is declared but not used" for name in sorted(declared - used)]
    return problems


def source(item: Any) -> str:
    return str(item.get("source", "")) if isinstance(item, dict) else str(item).split(":")[0]


def waiting_for_ever(compose: Compose) -> list[str]:
    """What is waited for exists, can become what is waited for, and nobody waits for itself."""
    problems = []
    for name, service in services(compose):
        for other, how in service.get("depends_on", {}).items():
            if other not in compose["services"]:
                problems.append(f"{name} waits for {other}, which does not exist")
            elif how["condition"] == "service_healthy" and "healthcheck" not in compose["services"][other]:
                problems.append(f"{name} waits for the health of {other}, which has no health check")
        if name in reachable(compose, name):
            problems.append(f"{name} waits for itself")
    return problems


def reachable(compose: Compose, start: str) -> set[str]:
    """Everything a service waits for, directly or not."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        for other in compose["services"].get(ahead.pop(), {}).get("depends_on", {}):
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found


def not_restarted(compose: Compose) -> list[str]:
    return [
        f"{name}: restart is {service.get('restart')}"
        for name, service in services(compose)
        if not re.match(
            r"on-failure:\d+$" if name in one_shots(compose) else r"unless-stopped$|always$",
            str(service.get("restart")),
        )
    ]


def unpinned(compose: Compose) -> list[str]:
    """Every image has a full version."""
    return [
        f"{name}: {service.get('image')}"
        for name, service in services(compose)
        if not re.search(r":\d+\.\d+(\.\d+)?(-|$)", service.get("image", ""))
    ]


def with_secrets(compose: Compose) -> list[str]:
    """A password comes from the environment and its absence is said; it never stands in the file."""
    return [
        f"{name}: {key} is written out or may be empty"
        for name, service in services(compose)
        for key, value in service.get("environment", {}).items()
        if re.search(r"PASSWORD|PWD|SECRET|TOKEN|API_KEY", key) and not re.match(r"\$\{\w+:\?.+\}$", str(value))
    ]


RULES: tuple[Callable[[Compose], list[str]], ...] = (
    against_the_schema, open_to_the_world, never_probed, too_mighty, mislaid, waiting_for_ever, not_restarted, unpinned,
    with_secrets,
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_compose_file_keeps_the_rule(rule: Callable[[Compose], list[str]]) -> None:
    assert rule(COMPOSE) == []


def spoil(path: str, value: Any) -> Callable[[Compose], None]:
    def change(compose: Compose) -> None:
        *parents, last = path.split("/")
        for name in parents:
            compose = compose[name]
        if value is None:
            del compose[last]
        else:
            compose[last] = value

    return change


BAD: list[tuple[Callable[[Compose], list[str]], str, Any]] = [
    (against_the_schema, "services/temporal/imagine", "x"),
    (against_the_schema, "services/temporal/healthcheck/test", 5),
    (open_to_the_world, "services/temporal/ports", ["7233:7233"]),
    (open_to_the_world, "services/temporal/ports", [{"target": 7233, "published": "7233"}]),
    (open_to_the_world, "services/temporal/ports", ["0.0.0.0:7233:7233"]),
    (open_to_the_world, "services/deskhand/network_mode", "host"),
    (never_probed, "services/temporal/healthcheck", None),
    (too_mighty, "services/temporal/user", None),
    (too_mighty, "services/postgres/user", "root"),
    (too_mighty, "services/deskhand/privileged", True),
    (too_mighty, "services/deskhand/cap_drop", None),
    (too_mighty, "services/deskhand/volumes", ["/var/run/docker.sock:/var/run/docker.sock"]),
    (mislaid, "volumes/home", None),
    (mislaid, "services/postgres/volumes", []),
    (mislaid, "networks/inside", None),
    (mislaid, "configs", {}),
    (waiting_for_ever, "services/postgres/depends_on", {"deskhand": {"condition": "service_started"}}),
    (waiting_for_ever, "services/postgres/depends_on", {"mariadb": {"condition": "service_started"}}),
    (waiting_for_ever, "services/postgres/healthcheck", None),
    (not_restarted, "services/deskhand/restart", "no"),
    (not_restarted, "services/temporal-schema/restart", "always"),
    (unpinned, "services/postgres/image", "postgres:latest"),
    (unpinned, "services/postgres/image", "postgres"),
    (with_secrets, "services/postgres/environment/POSTGRES_PASSWORD", "temporal"),
    (with_secrets, "services/postgres/environment/POSTGRES_PASSWORD", "${POSTGRES_PASSWORD:-temporal}"),
]


@pytest.mark.parametrize(("rule", "path", "value"), BAD, ids=lambda value: getattr(value, "__name__", str(value)))
def test_each_rule_sees_what_breaks_it(rule: Callable[[Compose], list[str]], path: str, value: Any) -> None:
    compose = copy.deepcopy(COMPOSE)
    spoil(path, value)(compose)
    assert rule(compose)


def test_a_port_on_loopback_is_allowed() -> None:
    compose = copy.deepcopy(COMPOSE)
    spoil("services/temporal/ports", ["127.0.0.1:7233:7233", {"target": 1, "host_ip": "127.0.0.1"}])(compose)
    assert open_to_the_world(compose) == []


def test_the_server_is_tuned_as_the_embedded_one() -> None:
    tuned = yaml.safe_load(COMPOSE["configs"]["temporal-tuning"]["content"])
    compose = {f"{key}={json.dumps(entry['value'])}" for key, entries in tuned.items() for entry in entries}
    assert compose == {word for word in TUNING if re.match(r"(history|system)\.", word)}
    assert f"--retention {RETENTION.days}d" in COMPOSE["services"]["temporal-namespace"]["command"][0]


def test_scripts_in_the_compose_file_are_valid_shell() -> None:
    scripts = [s["command"][0] for _, s in services(COMPOSE) if s.get("entrypoint", [""])[0] == "/bin/sh"]
    assert len(scripts) == 2
    for script in scripts:
        done = subprocess.run(
            ["sh", "-n"], input=script.replace("$$", "$"), text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- the image


def instructions(word: str) -> list[str]:
    return re.findall(rf"^\s*{word}\s+(.*)$", DOCKERFILE, re.MULTILINE)


def test_the_image_runs_the_checkout_as_nobody_special() -> None:
    assert instructions("USER") == [COMPOSE["services"]["deskhand"]["user"]]
    assert json.loads(instructions("ENTRYPOINT")[0]) == ["/opt/deskhand/deskhand"]
    assert instructions("VOLUME") == ["/var/lib/deskhand"]
    assert "home:/var/lib/deskhand" in COMPOSE["services"]["deskhand"]["volumes"]
    assert f"temporal@v{VERSION}" in DOCKERFILE
    stages = [line.split()[-1] for line in instructions("FROM")]
    assert COMPOSE["services"]["deskhand"]["build"]["target"] in stages
    assert all(re.search(r":\d+\.\d+", line) for line in instructions("FROM") if line.split()[0] not in stages)


def test_the_health_probe_tells_a_listening_service_from_none(tmp_path: Path) -> None:
    command = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    command[0] = sys.executable

    def healthy() -> bool:
        probe = ["env", f"DESKHAND_HOME={tmp_path}", *command]
        return subprocess.run(probe, capture_output=True, timeout=PATIENCE, check=False).returncode == 0

    assert not healthy()
    place = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(place))
        service.listen()
        (tmp_path / "service.json").write_text(json.dumps({"socket": str(place), "pid": 1, "token": "x"}))
        assert healthy()
    assert not healthy()


def test_secrets_and_state_stay_out_of_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", ".env", "*.env"} <= set(ignored)
