"""Bad input: a clear line for each mistake, exit code 1, and nothing changed."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from rollplane.apps.v1 import Deployment
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import CONFIG, WEB, written
from tests.clients.cli.stand_in import StandIn

CONTROLLER = """\
apiVersion: v1
kind: ReplicationController
metadata: {name: web}
spec: {selector: {app: web}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: a}]}}}
"""

BOTH_ZERO = "  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}\n  template:"

FILES: dict[str, tuple[str, str]] = {
    "unknown field": (
        WEB.replace("image:", "imagee:"),
        "error: FILE: document 1, line 14: spec.template.spec.containers[0].imagee: unknown field\n",
    ),
    "wrong type": (
        WEB.replace("replicas: 3", "replicas: three"),
        'error: FILE: document 1, line 7: spec.replicas: expected 32-bit integer, got string "three"\n',
    ),
    "two mistakes, two lines": (
        WEB.replace("replicas: 3", "replicas: three").replace("image:", "imagee:"),
        'error: FILE: document 1, line 7: spec.replicas: expected 32-bit integer, got string "three"\n'
        "error: FILE: document 1, line 14: spec.template.spec.containers[0].imagee: unknown field\n",
    ),
    "no YAML": ("a: [\n", "error: FILE: document 1, line 2: is no YAML: "),
    "no name": (
        WEB.replace("  name: web\n", ""),
        "error: FILE: line 1: metadata.name is required to apply an object\n",
    ),
    "nothing in it": ("---\n# nothing\n", "error: no objects passed to apply\n"),
    "selector that does not match": (
        WEB.replace("matchLabels: {app: web}", "matchLabels: {app: other}"),
        'The Deployment "web" is invalid: spec.template.metadata.labels: ',
    ),
    "surge and unavailable both zero": (
        WEB.replace("  template:", BOTH_ZERO),
        'The Deployment "web" is invalid: spec.strategy.rollingUpdate.maxUnavailable: ',
    ),
}


@pytest.mark.parametrize(("text", "message"), FILES.values(), ids=FILES)
async def test_a_bad_file_is_refused(cli: Cli, stand_in: StandIn, tmp_path: Path, text: str, message: str) -> None:
    file = written(tmp_path, text)
    ran = await cli.run("apply", "-f", file)
    assert (ran.code, ran.out) == (1, "")
    wanted = message.replace("FILE", file)
    assert ran.err.startswith(wanted)
    assert ran.err.endswith("\n")
    assert len(ran.err.splitlines()) == max(1, message.count("\n"))
    assert await stand_in.list(Deployment) == []
    assert await cli.ok("get", "cm", "-o", "name") == ""


NOTHING_NAMED = """\
error: You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""

COMMANDS: dict[str, str] = {
    "rollout undo deploy/web": 'error: no rollout history found for deployment "web"',
    "rollout undo deploy/web --to-revision=3": "error: unable to find specified revision 3 in history",
    "rollout undo deploy/web --to-revision=-1": "error: unable to find specified revision -1 in history",
    "rollout history deploy/web --revision=-1": "error: revision must be a positive integer: -1",
    "rollout history configmap/settings": 'error: configmaps "settings" rollout history is not supported',
    "rollout status configmap/settings": "error: no status viewer has been implemented for ConfigMap",
    "rollout pause configmap/settings": 'error: configmaps "settings" pausing is not supported',
    "rollout plot deploy": "error: resource(s) were provided, but no name was specified",
    "rollout status": "error: required resource not specified",
    "set image deploy/web nosuch=a:1": 'error: unable to find container named "nosuch"',
    "set image deploy/web": "error: at least one image update is required",
    "set image deploy/web nginx=": "error: invalid image update 'nginx=': want CONTAINER=IMAGE",
    "set image nginx=a:1": NOTHING_NAMED,
    "set image deploy nginx=a:1": "error: resource(s) were provided, but no name was specified",
    "set image deploy/web nginx=a *=b": (
        "error: all containers are already specified by *, but saw more than one container_name=container_image pairs"
    ),
    "set image": "error: at least one image update is required",
    "set image deploy/web nginx=a --local": (
        "error: you must specify resources by --filename when --local is set.\n"
        "Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'"
    ),
    "set image deploy/none nginx=a:1": 'Error from server (NotFound): deployments.apps "none" not found',
    "set image cm/settings a=b": 'error: configmaps "settings" setting images is not supported',
    "scale deploy/web --replicas=-1": (
        "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0"
    ),
    "scale deploy/web": 'error: required flag(s) "replicas" not set',
    "scale --replicas=1": NOTHING_NAMED,
    "scale deploy --replicas=1": "error: resource(s) were provided, but no name was specified",
    "edit": NOTHING_NAMED,
    "scale deploy/web --replicas=5 --current-replicas=9": "error: Expected replicas to be 9, was 3",
    "scale cm/settings --replicas=5": 'error: configmaps "settings" scaling is not supported',
    "scale deploy/none --replicas=1": 'Error from server (NotFound): deployments.apps "none" not found',
    "get gadgets": 'error: the server doesn\'t have a resource type "gadgets"',
    "get deploy web -l a=b": "error: name cannot be provided when a selector is specified",
    "get deploy web -A": "error: a resource cannot be retrieved by name across all namespaces",
    "get pods,deploy -w": "error: you may only specify a single resource type",
    "get deploy web none -w": (
        "error: watch is only supported on individual resources and resource collections - 2 resources were found"
    ),
    "get deploy none": 'Error from server (NotFound): deployments.apps "none" not found',
    "delete deploy": "error: resource(s) were provided, but no name was specified",
    "delete": NOTHING_NAMED,
    "delete deploy web --now --grace-period=3": "error: --now and --grace-period cannot be specified together",
    "delete deploy web --force --grace-period=3": (
        "error: --force and --grace-period greater than 0 cannot be specified together"
    ),
    "patch deploy web": "error: must specify --patch or --patch-file containing the contents of the patch",
    "patch deploy web -p {} --patch-file x": "error: cannot specify --patch and --patch-file together",
    "patch deploy web --patch-file nope": "error: unable to read patch file: open nope: no such file or directory",
    "patch deploy web -p x": 'error: unable to parse "x": a patch is an object, or a list of operations',
    "rollout plot deploy/web --file /nope/x.svg": "error: cannot draw to /nope/x.svg: No such file or directory",
    "apply -f https://example.com/web.yaml": (
        "error: https://example.com/web.yaml: files are read from disk only; fetch it, and pipe it into -f -"
    ),
    "get pods -s http://127.0.0.1:7070": (
        "error: the server http://127.0.0.1:7070 speaks gRPC: name it as host:port, without http://"
    ),
    "why cm/settings": "error: why is known of workloads only, not of configmaps",
    "why deploy/none": 'Error from server (NotFound): deployments.apps "none" not found',
    "cordon none": 'Error from server (NotFound): nodes "none" not found',
    "sim ready none": 'Error from server (NotFound): pods "none" not found',
    "apply -f none.yaml": 'error: the path "none.yaml" does not exist',
}


@pytest.mark.parametrize(("line", "message"), COMMANDS.items(), ids=COMMANDS)
async def test_a_bad_command_is_refused(cli: Cli, stand_in: StandIn, line: str, message: str) -> None:
    await cli.ok("create", "-f", "-", input=f"{WEB}---\n{CONFIG}")
    before = await stand_in.get(Deployment, "web")
    ran = await cli.run(*line.split())
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"{message}\n"
    assert await stand_in.get(Deployment, "web") == before


USAGES = {
    "get": "error: Required resource not specified.\nSee 'rollplane get -h' for help and examples\n",
    "get pods -o jsonpath={.items}": (
        'error: invalid argument "jsonpath={.items}" for "--output" flag: must be one of wide, yaml, json, name; '
        "rollplane kubectl has it\nSee 'rollplane get --help' for usage.\n"
    ),
    "get pods --sort-by=.x": (
        "error: unknown flag: --sort-by; rollplane kubectl has it\nSee 'rollplane get --help' for usage.\n"
    ),
    "label pod a b=c": (
        'error: unknown command "label" for "rollplane"; rollplane kubectl has it\n'
        "See 'rollplane -h' for help and examples\n"
    ),
    "set env deploy/a B=c": (
        "error: unknown command \"env\"; rollplane kubectl has it\nSee 'rollplane set -h' for help and examples\n"
    ),
    "get pods --nope": "error: unknown flag: --nope\nSee 'rollplane get --help' for usage.\n",
    "apply": "error: must specify -f\nSee 'rollplane apply -h' for help and examples\n",
    "apply web -f x": "error: Unexpected args: [web]\nSee 'rollplane apply -h' for help and examples\n",
    "create pod x": (
        "error: only -f FILE and namespace NAME can be created\nSee 'rollplane create -h' for help and examples\n"
    ),
    "cordon": "error: USAGE: cordon NODE [flags]\nSee 'rollplane cordon -h' for help and examples\n",
    "uncordon": "error: USAGE: uncordon NODE [flags]\nSee 'rollplane uncordon -h' for help and examples\n",
    "drain": "error: USAGE: drain NODE [flags]\nSee 'rollplane drain -h' for help and examples\n",
    "sim crash": (
        "error: name one or more pods, or choose them by -l or --all\n"
        "See 'rollplane sim crash -h' for help and examples\n"
    ),
    "why": "error: name a workload, as deploy/NAME\nSee 'rollplane why -h' for help and examples\n",
    "rollout stop": "error: unknown command \"stop\"\nSee 'rollplane rollout -h' for help and examples\n",
    "help nonsense": "error: Unknown help topic [`nonsense`]\nSee 'rollplane -h' for help and examples\n",
    "completion ksh": ("error: Unsupported shell type \"ksh\".\nSee 'rollplane completion -h' for help and examples\n"),
}


@pytest.mark.parametrize(("line", "message"), USAGES.items(), ids=USAGES)
async def test_a_command_that_is_not_written_correctly_points_to_its_help(cli: Cli, line: str, message: str) -> None:
    ran = await cli.run(*line.split())
    assert (ran.code, ran.out, ran.err) == (1, "", message)


async def test_a_server_that_is_not_there(unused_tcp_port: int) -> None:
    ran = await Cli(f"127.0.0.1:{unused_tcp_port}").run("get", "pods")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"The connection to the server 127.0.0.1:{unused_tcp_port} was refused - "
        "did you specify the right host or port?\n"
        'Start a control plane with "rollplane up", or name another by --server or ROLLPLANE_SERVER.\n'
    )


async def test_a_controller_is_not_replaced_by_one_of_its_own_name(cli: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, CONTROLLER)
    await cli.ok("create", "-f", file)
    ran = await cli.run("rolling-update", "web", "-f", file)
    sentence = f"error: {file} cannot have the same name as the existing ReplicationController web"
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"{sentence}\nSee 'rollplane rolling-update -h' for help and examples\n"


async def test_a_request_may_be_given_less_time_than_it_takes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with asyncio.timeout(5):
            ran = await Cli(f"127.0.0.1:{port}").run("get", "pods", "--request-timeout=50ms")
    assert (ran.code, ran.err) == (1, "Error from server (Timeout): Deadline Exceeded\n")
