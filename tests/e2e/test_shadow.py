"""`gates shadow` names a version of the model, says which, and ends it; the demonstration says where nginx is absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_world import World

DEMO = Path(__file__).parents[2] / "examples" / "canary" / "demo.py"
NGINX = (
    'serving: {nginx: {config: split.conf, key: $arg_k, upstream: "m_{version}", test: "true", reload: "true", '
    'shadow: "shadow-{environment}.conf"}'
)


def test_a_version_is_named_said_and_ended(world: World) -> None:
    def shadow(*arguments: str) -> tuple[int, str]:
        ran = world.run("shadow", *arguments, "-e", "staging")
        return ran.code, ran.out + ran.err

    missing = shadow()
    assert (missing[0], "spec.shadow_missing" in missing[1]) == (2, True)
    world.edit('serving: {file: "serving/{environment}.json"', NGINX)
    assert shadow() == (0, "staging: no shadow\n")
    named = "staging: models:/approval/2 gets a copy of each request\n"
    assert shadow("models:/approval@challenger") == (0, named)
    assert shadow() == (0, named)
    assert "default m_2;" in (world.folder / "shadow-staging.conf").read_text()
    stage = shadow("models:/approval/Production")
    assert (stage[0], "registry.stage" in stage[1], "@deployed-production" in stage[1]) == (2, True, True)
    assert shadow("models:/approval/2", "--off")[0] == 2
    assert shadow("--off") == (0, "staging: no shadow\n")
    assert world.run("log").out.count("shadow") == 0


def test_the_demonstration_says_how_to_get_nginx() -> None:
    code = (
        "import sys, runpy; sys.path.insert(0, sys.argv[1]); import proxy; proxy.find_nginx = lambda: None; "
        "runpy.run_path(sys.argv[1] + '/demo.py', run_name='__main__')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(DEMO.parent)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, "apt-get install nginx" in ran.stderr, ran.stdout) == (2, True, "")


@pytest.mark.long
def test_the_demonstration_moves_real_traffic_and_takes_it_back() -> None:
    ran = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, check=False, timeout=590)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all who had version 2 kept it" in ran.stdout
    assert ran.stdout.count("400 customers are answered: 400 by version 1\n") == 2
    assert "none failed" in ran.stdout
