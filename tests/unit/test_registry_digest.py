"""The digest of a model names its bytes, all of them, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.inputs.model_digest import UnhashableModel, digest_model


def model(folder: Path) -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "model.pkl").write_bytes(bytes(range(256)))
    (folder / "code" / "conformal.py").write_text("x = 1\n")
    return folder


def test_it_is_the_digest_of_the_canonical_list_of_files(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    files = [
        {"digest": f"sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}", "path": name}
        for name in ("MLmodel", "code/conformal.py", "model.pkl")
    ]
    wanted = json.dumps({"files": files}, separators=(",", ":"), sort_keys=True)
    assert digest_model(folder) == f"sha256:{hashlib.sha256(wanted.encode()).hexdigest()}"


def test_place_mode_time_order_and_empty_folders_do_not_count(tmp_path: Path) -> None:
    one, other = model(tmp_path / "one"), tmp_path / "far" / "other"
    other.mkdir(parents=True)
    (other / "empty").mkdir()
    for name in ("model.pkl", "code/conformal.py", "MLmodel"):
        (other / name).parent.mkdir(exist_ok=True)
        (other / name).write_bytes((one / name).read_bytes())
        (other / name).chmod(0o600)
        os.utime(other / name, (1, 1))
    assert digest_model(one) == digest_model(other)


@pytest.mark.parametrize("change", ["flip", "append", "rename", "add", "add hidden", "remove", "move", "empty"])
def test_every_change_of_the_bytes_changes_it(tmp_path: Path, change: str) -> None:
    folder = model(tmp_path / "m")
    before = digest_model(folder)
    pickle = folder / "model.pkl"
    raw = pickle.read_bytes()
    if change == "flip":
        pickle.write_bytes(raw[:7] + bytes([raw[7] ^ 1]) + raw[8:])
    elif change == "append":
        pickle.write_bytes(raw + b"\0")
    elif change == "rename":
        pickle.rename(folder / "model.pk1")
    elif change == "add":
        (folder / "code" / "more.py").touch()
    elif change == "add hidden":
        (folder / ".git").mkdir()
        (folder / ".git" / "hook").write_text("code")
    elif change == "remove":
        pickle.unlink()
    elif change == "move":
        pickle.rename(folder / "code" / "model.pkl")
    else:
        pickle.write_bytes(b"")
    assert digest_model(folder) != before


def test_a_file_cannot_pose_as_two(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, files in ((one, {"a": b"bc"}), (two, {"a": b"b", "ac": b"c"})):
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    assert digest_model(one) != digest_model(two)


@pytest.mark.parametrize("what", ["missing", "file", "empty", "link", "link out", "folder link", "root link", "pipe"])
def test_what_cannot_be_named_is_refused(tmp_path: Path, what: str) -> None:
    folder = model(tmp_path / "m")
    if what == "missing":
        folder = tmp_path / "no"
    elif what == "file":
        folder = folder / "MLmodel"
    elif what == "empty":
        (folder := tmp_path / "empty").mkdir()
    elif what == "link":
        (folder / "again").symlink_to("MLmodel")
    elif what == "link out":
        (folder / "passwd").symlink_to("../../etc/passwd")
    elif what == "folder link":
        (folder / "deep").symlink_to(tmp_path, target_is_directory=True)
    elif what == "root link":
        (tmp_path / "link").symlink_to(folder)
        folder = tmp_path / "link"
    else:
        os.mkfifo(folder / "pipe")
    with pytest.raises(UnhashableModel) as caught:
        digest_model(folder)
    assert (caught.value.exit_code, caught.value.code) == (3, "model.unhashable")


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff.pkl")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(UnhashableModel, match="not UTF-8"):
        digest_model(folder)


@pytest.mark.parametrize("name", ["model.pkl", "code"])
def test_unreadable_is_refused_and_not_passed_over(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path / "m")
    (folder / name).chmod(0)
    call = "import sys; from pathlib import Path; from gates.inputs.model_digest import digest_model as d; "
    command = [sys.executable, "-c", call + "d(Path(sys.argv[1]))", str(folder)]
    if os.geteuid() == 0:  # who reads everything, unless in a user namespace as somebody else
        command = ["unshare", "-U", "--map-user=1000", "--map-group=1000", *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    finally:
        (folder / name).chmod(0o700)
    assert "UnhashableModel" in done.stderr.splitlines()[-1]
    assert "cannot be read: Permission denied" in done.stderr


@given(
    st.dictionaries(st.text("aé.Z ~\U0001f600", min_size=1, max_size=8), st.binary(max_size=20), min_size=1, max_size=5)
)
def test_any_names_and_bytes(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folders = [tmp_path_factory.mktemp("m") for _ in range(2)]
    names = [name for name in files if name not in {".", ".."}] or ["x"]
    for folder, order in zip(folders, (names, names[::-1]), strict=True):
        for name in order:
            (folder / name).write_bytes(files.get(name, b""))
    assert digest_model(folders[0]) == digest_model(folders[1])
