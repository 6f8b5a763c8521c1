"""The example files of the page "More than one machine"."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stepflow_runtime import StepflowRuntime
from stepflow_runtime.errors import StartFailed
from stepflow_runtime.models import EtcdLeaseManager, PostgresStore, ServerConfig, SqliteStore

MACHINES = Path("docs/machines")
PAGE = Path("docs/more-than-one-machine.md")


def read(name: str) -> Any:
    """Return a YAML file of the page."""
    return yaml.safe_load((MACHINES / name).read_text(encoding="utf-8"))


def kubernetes() -> dict[str, Any]:
    """Return the objects of the manifest by their kinds and names."""
    text = (MACHINES / "kubernetes.yaml").read_text(encoding="utf-8")
    return {f"{one['kind']} {one['metadata']['name']}": one for one in yaml.safe_load_all(text)}


def options(command: list[str]) -> dict[str, str]:
    """Return the options of a command of the server."""
    assert command[0] == "stepflow-server"
    return dict(one.removeprefix("--").split("=") for one in command[1:])


@pytest.fixture(autouse=True)
def no_unknown_keys(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No config has a key that its server ignores."""
    with caplog.at_level(logging.WARNING, "stepflow_runtime"):
        yield
    records = [one for one in caplog.get_records("call") if one.name == "stepflow_runtime"]
    assert not [one.message for one in records if one.message.startswith("the config: ")]


def test_the_page_shows_every_file() -> None:
    shown = re.findall(r"literalinclude} machines/(\S+)", PAGE.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in MACHINES.iterdir())


def test_the_config_for_one_machine(tmp_path: Path) -> None:
    document = read("one-machine.yml")
    config = ServerConfig.from_dict(document)
    assert isinstance(config.storage_config, SqliteStore)
    assert isinstance(config.lease_manager, EtcdLeaseManager)
    assert config.to_dict() == document
    # It reaches no etcd, and continues without it.
    config.storage_config.database_url = f"sqlite:{tmp_path / 'stepflow.db'}?mode=rwc"
    config.plugins = {"builtin": config.plugins["builtin"]}
    config.routes = {"/": config.routes["/"]}
    with StepflowRuntime.start(config) as runtime:
        flow = {"name": "echo", "steps": [], "output": {"$input": "$"}}
        assert runtime.sync_client.run(flow, 1).output == 1
    assert (tmp_path / "stepflow.db").exists()


def test_the_config_for_several_machines(tmp_path: Path) -> None:
    document = read("several-machines.yml")
    config = ServerConfig.from_dict(document)
    assert isinstance(config.storage_config, PostgresStore)
    assert config.to_dict() == document
    # The server reads it, and lacks PostgreSQL alone.
    with pytest.raises(StartFailed, match="PostgreSQL support was not compiled in"):
        StepflowRuntime.start(config)


def test_servers_of_compose_differ_in_their_names() -> None:
    compose = read("compose.yaml")
    servers = {name: one for name, one in compose["services"].items() if "configs" in one}
    assert list(servers) == ["server-1", "server-2", "server-3"]
    ports: set[str] = set()
    for name, server in servers.items():
        given = options(server["command"])
        assert server["environment"] == {
            "STEPFLOW_ORCHESTRATOR_ID": name,
            "STEPFLOW_ORCHESTRATOR_URL": f"{name}:{given['port']}",
        }
        (mounted,) = server["configs"]
        assert mounted == {"source": "server", "target": given["config"]}
        assert set(server["depends_on"]) <= compose["services"].keys()
        assert server["stop_grace_period"] == "3s"
        ports |= set(server["ports"])
    assert len(ports) == len(servers)
    assert compose["configs"]["server"]["file"] == "several-machines.yml"
    config = ServerConfig.from_dict(read("several-machines.yml"))
    assert isinstance(config.storage_config, PostgresStore)
    assert isinstance(config.lease_manager, EtcdLeaseManager)
    database = compose["services"]["postgres"]["environment"]
    assert config.storage_config.database_url == (
        f"postgres://{database['POSTGRES_USER']}:{database['POSTGRES_PASSWORD']}@postgres:5432"
        f"/{database['POSTGRES_DB']}"
    )
    assert config.lease_manager.endpoints == ["http://etcd:2379"]
    assert "--advertise-client-urls=http://etcd:2379" in compose["services"]["etcd"]["command"]


def test_the_manifest_for_kubernetes_fits_together() -> None:
    objects = kubernetes()
    assert yaml.safe_load(objects["Secret stepflow-server"]["stringData"]["server.yml"]) == (
        read("several-machines.yml")
    )
    spec = objects["StatefulSet stepflow"]["spec"]
    pod = spec["template"]["spec"]
    (server,) = pod["containers"]
    given = options(server["command"])
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"] == labels
    (port,) = server["ports"]
    assert str(port["containerPort"]) == given["port"]
    assert server["readinessProbe"]["httpGet"] == {"path": "/api/v1/health", "port": port["name"]}
    for name in ("stepflow-servers", "stepflow"):
        service = objects[f"Service {name}"]["spec"]
        assert service["selector"] == labels
        assert service["ports"] == [{"name": port["name"], "port": port["containerPort"]}]
    assert spec["serviceName"] == "stepflow-servers"
    assert objects["Service stepflow-servers"]["spec"]["clusterIP"] == "None"
    assert objects["Service stepflow"]["spec"]["sessionAffinity"] == "ClientIP"
    identity, address = server["env"]
    assert identity["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert address["value"] == f"$({identity['name']}).{spec['serviceName']}:{given['port']}"
    (mounted,), (volume,) = server["volumeMounts"], pod["volumes"]
    assert mounted["name"] == volume["name"]
    assert volume["secret"]["secretName"] == "stepflow-server"
    assert given["config"] == f"{mounted['mountPath']}/server.yml"
    # It starts again with its name, and so resumes its runs.
    assert pod["terminationGracePeriodSeconds"] == 3


@pytest.mark.parametrize("name", ["one-machine.yml", "several-machines.yml"])
def test_servers_resume_their_own_runs_alone(name: str) -> None:
    recovery = ServerConfig.from_dict(read(name)).recovery
    # Without looking for runs of others, a server does not renew its leases.
    assert recovery and recovery.enabled is False and recovery.max_startup_recovery == 1_000_000
    assert recovery.lease_ttl_secs == 365 * 24 * 3600


def test_the_load_balancer_keeps_clients_at_one_server() -> None:
    lines = [line.split() for line in (MACHINES / "haproxy.cfg").read_text().splitlines()]
    assert ["balance", "source"] in lines
    assert ["option", "httpchk", "GET", "/api/v1/health"] in lines
    servers = [line[2] for line in lines if line and line[0] == "server"]
    # Those that the page starts.
    ports = re.search(r"for port in \((.+)\)", PAGE.read_text(encoding="utf-8"))
    assert ports and servers == [f"127.0.0.1:{port}" for port in ports[1].split(", ")]
