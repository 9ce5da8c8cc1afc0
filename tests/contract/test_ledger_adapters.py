"""What only one of the ledger adapters can get wrong."""

from __future__ import annotations

import base64
import os
import re
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from simulators.answering import Request, answering
from simulators.ledger_places import BRANCH, GitPlace, PostgresPlace, PostgresServer, history

from gates.apply.ledger.git_ledger import entry_path
from gates.apply.ledger.interface import Ledger
from gates.apply.ledger.opening import check_place, open_ledger
from gates.bundle.canonical import digest_bytes
from gates.errors import EngineError, EvidenceError, UsageError

FIRST, SECOND = digest_bytes(b"first"), digest_bytes(b"second")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "ledger.db",
        "mysql://host/db",
        "sqlite:///",
        "sqlite:ledger.db",
        "git+https://host/repository",
        "git+https://host/repository#",
        "git+https://host/repository#-f",
        "git+https://host/repository#a..b",
        "git+https://host/repository#a.lock",
        "git+https:///repository#main",
        "git+ext::sh -c id#main",
        "git+--upload-pack=id#main",
        "git:branch",
        "git:branch@--upload-pack=id",
        "git+http://user:secret@far.away/repository#main",
    ],
)
def test_another_address_is_a_usage_error(uri: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_ledger(uri, folder=tmp_path)
    assert caught.value.code == "ledger.uri"
    assert "secret" not in str(caught.value)


def test_a_ci_job_keeps_no_ledger_in_its_workspace(tmp_path: Path) -> None:
    inside, outside = f"sqlite:///{tmp_path / 'repo' / 'work' / 'ledger.db'}", f"sqlite:///{tmp_path / 'ledger.db'}"
    workspace = tmp_path / "repo"
    with pytest.raises(UsageError) as caught:
        check_place(inside, {"CI": "true"}, workspace)
    assert (caught.value.code, caught.value.exit_code) == ("ledger.in_workspace", 2)
    with pytest.raises(UsageError):
        check_place(outside, {"CI": "true", "GITHUB_WORKSPACE": str(tmp_path)}, workspace)
    check_place(inside, {}, workspace)
    check_place(outside, {"CI": "true"}, workspace)
    check_place("postgresql://host/db", {"CI": "true"}, workspace)


def test_the_page_names_addresses_commands_and_codes_that_exist(branch: GitPlace, tmp_path: Path) -> None:
    from gates.cli.main import _COMMANDS

    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    addresses = re.findall(r"^\| `([^`]+:[^`]+)` \|", page, re.MULTILINE)
    assert len(addresses) == 4
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", branch.remote], check=True)
    assert [open_ledger(each, folder=tmp_path).name for each in addresses] == addresses
    assert set(re.findall(r"`gates ([a-z]+)", page)) <= set(_COMMANDS)
    source = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "gates").rglob("*.py"))
    for code in re.findall(r"\(`([a-z]+\.[a-z_]+)`\)", page):
        assert f'"{code}"' in source


# sqlite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(f"sqlite:///{path}")
    ledger.append(b"first", expects=None)
    ledger.append(b"second", expects=FIRST)
    return path


def test_it_is_readable_while_somebody_writes(file: Path) -> None:
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO entries VALUES (2, x'00')")
        assert open_ledger(f"sqlite:///{file}").entries() == (b"first", b"second")
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET raw = x'00'",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries VALUES (0, x'00')",
        "INSERT INTO entries VALUES (5, x'00')",
        "INSERT INTO entries VALUES (NULL, NULL)",
    ],
)
def test_rows_of_a_file_are_written_once_and_in_order(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    assert open_ledger(f"sqlite:///{file}").entries() == (b"first", b"second")


def test_a_missing_row_is_found(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("DROP TRIGGER entries_stay")
        other.execute("DELETE FROM entries WHERE sequence = 0")
    with pytest.raises(EvidenceError, match="rows are missing"):
        open_ledger(f"sqlite:///{file}").entries()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 50)
    with pytest.raises(EvidenceError) as caught:
        open_ledger(f"sqlite:///{path}").entries()
    assert caught.value.code == "ledger.corrupt"


# Out of reach


def test_an_unreachable_ledger_is_exit_4(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for uri in (
        f"sqlite:///{tmp_path / 'file' / 'ledger.db'}",
        f"git+file://{tmp_path / 'nowhere.git'}#main",
        f"postgresql://gates:secret@/none?host={tmp_path}",
    ):
        ledger = open_ledger(uri, {**os.environ, "GATES_CACHE": str(tmp_path / "cache")})
        with pytest.raises(EngineError) as caught:
            ledger.append(b"first", expects=None)
        assert (caught.value.code, caught.value.exit_code) == ("ledger.unavailable", 4)
        assert "secret" not in str(caught.value)


# Postgres


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE gates_ledger SET raw = '\\x00'",
        "DELETE FROM gates_ledger",
        "TRUNCATE gates_ledger",
        "INSERT INTO gates_ledger VALUES (5, '\\x00')",
        "INSERT INTO gates_ledger VALUES (NULL, NULL)",
    ],
)
def test_rows_of_a_table_are_written_once_and_in_order(postgres: PostgresServer, statement: str) -> None:
    import psycopg

    place = PostgresPlace(postgres, f"rows_{digest_bytes(statement.encode())[7:15]}")
    place.open().append(b"first", expects=None)
    with psycopg.connect(place.uri) as other, pytest.raises(psycopg.Error):
        other.execute(statement)
    assert place.open().entries() == (b"first",)


def test_a_server_that_trusts_an_old_snapshot_is_told_not_to(postgres: PostgresServer) -> None:
    """The lock is taken inside the transaction: a snapshot from before it would hide the winner."""
    place = PostgresPlace(postgres, "snapshots")
    place.uri += "%20-cdefault_transaction_isolation%3Dserializable%20-csynchronous_commit%3Doff"
    place.open().append(b"first", expects=None)
    place.open().append(b"second", expects=FIRST)
    assert place.open().entries() == (b"first", b"second")


# Git


@pytest.fixture
def branch(tmp_path: Path) -> GitPlace:
    place = GitPlace(tmp_path)
    place.open().append(b"first", expects=None)
    place.open().append(b"second", expects=FIRST)
    return place


def rewritten(ledger: Ledger) -> str:
    with pytest.raises(EvidenceError) as caught:
        ledger.entries()
    assert caught.value.exit_code == 3
    return caught.value.code


def test_a_branch_is_read_from_a_clone_of_depth_1(branch: GitPlace) -> None:
    """And the next entry is pushed from it."""
    ledger = branch.open("fresh")
    assert ledger.entries() == (b"first", b"second")
    clone = ledger.folder / "clone.git"  # type: ignore[attr-defined]
    assert (clone / "shallow").read_text().split() == [branch.git("rev-parse", BRANCH)]
    ledger.append(b"third", expects=SECOND)
    assert branch.git("rev-list", "--count", BRANCH) == "3"
    assert branch.open("another").entries(2) == (b"third",)


@pytest.mark.parametrize("done", ["shorter", "other", "gone", "descends, but shorter", "descends, but other"])
def test_a_branch_that_does_not_go_on_from_what_was_seen_is_found(branch: GitPlace, done: str) -> None:
    old = branch.git("rev-parse", BRANCH)
    if done == "gone":
        branch.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    else:
        raws = [b"first"] if "shorter" in done else [b"first", b"forged", b"third"]
        branch.git("fast-import", "--quiet", "--force", "--done", stdin=history(raws, BRANCH))
        if "descends" in done:
            tree = branch.git("rev-parse", f"{BRANCH}^{{tree}}")
            who = ("-c", "user.name=a", "-c", "user.email=a@b")
            commit = branch.git(*who, "commit-tree", tree, "-p", old, "-m", "forged")
            branch.git("update-ref", f"refs/heads/{BRANCH}", commit)
    assert rewritten(branch.open()) == "ledger.rewritten"
    with pytest.raises(EvidenceError):
        branch.open().append(b"third", expects=SECOND)
    branch.git("update-ref", f"refs/heads/{BRANCH}", old)
    assert branch.open().entries() == (b"first", b"second")


@pytest.mark.parametrize(
    "strange",
    [
        f"M 100644 inline {entry_path(5)}",
        "M 100644 inline entries/README",
        f"M 120000 inline {entry_path(2)}",
        f"M 100755 inline {entry_path(2)}",
    ],
)
def test_a_strange_file_among_the_entries_is_found(branch: GitPlace, strange: str) -> None:
    head = f"commit refs/heads/{BRANCH}\ncommitter a <a@b> 1 +0000\ndata 0\nfrom refs/heads/{BRANCH}^0\n"
    branch.git("fast-import", "--quiet", "--done", stdin=f"{head}{strange}\ndata 1\nx\ndone\n".encode())
    assert rewritten(branch.open("fresh")) == "ledger.sequence"


def test_neither_the_users_git_nor_its_hooks_matter(branch: GitPlace, tmp_path: Path) -> None:
    """No name and no address, commits that must be signed by a key that is not there, hooks that refuse."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[core]\n hooksPath = {hooks}\n[commit]\n gpgSign = true\n[push]\n gpgSign = true\n[user]\n signingKey = none\n"
        f' useConfigOnly = true\n[init]\n templateDir = {tmp_path}\n[url "file:///nowhere/"]\n insteadOf = file://\n'
    )
    environ = {**branch.environ("hostile"), "GIT_CONFIG_GLOBAL": str(config), "GIT_DIR": "/nowhere", "HOME": "/nowhere"}
    ledger = open_ledger(branch.uri, environ)
    ledger.append(b"third", expects=SECOND)
    assert ledger.entries() == (b"first", b"second", b"third")
    assert not (tmp_path / "ran").exists()


def test_a_push_that_the_server_does_not_take_is_said_to_be_refused(branch: GitPlace) -> None:
    hook = branch.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(EngineError) as caught:
        branch.open().append(b"third", expects=SECOND)
    assert caught.value.code == "ledger.refused"
    hook.unlink()
    branch.open().append(b"third", expects=SECOND)


def test_a_remote_of_the_checkout_is_named_as_git_names_it(branch: GitPlace, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    subprocess.run(["git", "-C", checkout, "remote", "add", "origin", branch.remote], check=True)
    ledger = open_ledger(f"git:{BRANCH}@origin", branch.environ("named"), folder=checkout)
    assert ledger.entries() == (b"first", b"second")
    with pytest.raises(UsageError, match="no remote upstream"):
        open_ledger(f"git:{BRANCH}@upstream", branch.environ("named"), folder=checkout)


@pytest.mark.parametrize("by", ["variable", "address", "checkout"])
def test_a_token_travels_in_a_header_and_is_written_nowhere(by: str, tmp_path: Path) -> None:
    """A server that wants a token: Git is watched for its arguments, the cache and the message for the secret."""
    seen: list[str | None] = []

    def answer(asked: Request) -> tuple[int, bytes]:
        seen.append(asked.headers.get("Authorization"))
        return 403, b""

    secret = "s3cr3t-t0ken"
    header = "Basic " + base64.b64encode(f"x-access-token:{secret}".encode()).decode()
    watch = tmp_path / "bin"
    watch.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (watch / "git").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/argv\nexec {real} "$@"\n')
    (watch / "git").chmod(0o755)
    environ = {**os.environ, "GATES_CACHE": str(tmp_path / "cache"), "PATH": f"{watch}:{os.environ['PATH']}"}
    with answering(answer) as address:
        host = urlsplit(address).netloc
        uri = f"git+http://{host}/team/repository#{BRANCH}"
        if by == "variable":
            environ["GATES_LEDGER_TOKEN"] = secret
        elif by == "address":
            uri = f"git+http://x-access-token:{secret}@{host}/team/repository#{BRANCH}"
        else:
            for words in (
                ("init", "--quiet"),
                ("remote", "add", "origin", f"http://{host}/team/repository"),
                ("config", f"http.http://{host}/.extraheader", f"AUTHORIZATION: {header}"),
            ):
                subprocess.run([real, *words], cwd=tmp_path, check=True)
            uri = f"git:{BRANCH}@origin"
        ledger = open_ledger(uri, environ, folder=tmp_path)
        with pytest.raises(EngineError) as caught:
            ledger.entries()
    assert seen[0] == header
    written = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    told = str(caught.value) + repr(vars(caught.value)) + ledger.name + (tmp_path / "argv").read_text()
    for word in (secret, header.split()[1]):
        assert word not in told
        assert not any(word.encode() in content for content in written)
