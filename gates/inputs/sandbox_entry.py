"""First program of the scorer process: shut the room, then start the model in it.

Place in the flow: started by gates/inputs/sandbox.py as `python -I -S sandbox_entry.py <config>`; its last act is to
exec gates/inputs/scorer_child.py or scorer_latency.py. It imports the standard library only, so that nothing of the caller is in memory.

One way, written here with ctypes on libc, and not bubblewrap: what PyPI alone can install is then all that there is to
install and to test, and `os.unshare` exists only from Python 3.12. What it does in mode `namespace`:

(1) die with the caller; (2) new user, mount, network, PID, IPC and UTS namespaces; the identity inside is one
unprivileged number; (3) fork, since only a child enters the PID namespace; (4) build a new root on a tmpfs: read-only
system libraries, read-only `bin` and `lib` of the interpreter, the models, the features, a minimal /dev and the
namespace's own /proc; (5) pivot into it and let go of the old root; (6) no further user namespaces, a session keyring
of its own, resource limits; (7) no new privileges, an empty bounding set, no capabilities; (8) say that the room is
shut; (9) exec.

In mode `process` only (1), the resource limits, and (9): the folder holds copies, and that is all. Either way no
process outlives the first one: the PID namespace ends with its init; in mode `process` on Linux this program adopts
orphans and kills them.

What stays open: the kernel's system calls (no seccomp filter) and the clock.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

_CLONE = {"NEWNS": 0x00020000, "NEWUTS": 0x04000000, "NEWIPC": 0x08000000}
_CLONE |= {"NEWUSER": 0x10000000, "NEWPID": 0x20000000, "NEWNET": 0x40000000}
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_RDONLY, _MS_REMOUNT = 0x2, 0x4, 0x8, 0x1, 0x20
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 0x1, 0x2, 0x4
_AT_FDCWD, _AT_RECURSIVE, _MNT_DETACH = -100, 0x8000, 0x2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38
_SYS_MOUNT_SETATTR = 442
_SYSCALLS = {"x86_64": {"pivot_root": 155, "keyctl": 250}, "aarch64": {"pivot_root": 41, "keyctl": 219}}
_INNER_ID = 65534
_SCRATCH_BYTES = 256 * 2**20
_PROCESSES = 512
_SYSTEM = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib"),
    *("/etc/ld.so.cache", "/usr/share/zoneinfo"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom")


class _Libc:
    """The calls that Python 3.11 does not have; each raises OSError with the name of the call."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._numbers = _SYSCALLS.get(platform.machine(), {})

    def call(self, name: str, *arguments: Any) -> int:
        """Call a libc function; strings become bytes, integers become longs."""
        return self._checked(name, getattr(self._libc, name), arguments)

    def syscall(self, name: str, *arguments: Any) -> int:
        """Make a system call that libc does not wrap."""
        number = _SYS_MOUNT_SETATTR if name == "mount_setattr" else self._numbers.get(name)
        if number is None:
            raise OSError(f"{name}: unknown machine {platform.machine()}")
        return self._checked(name, self._libc.syscall, (number, *arguments))

    def _checked(self, name: str, function: Callable[..., int], arguments: tuple[Any, ...]) -> int:
        converted = [
            os.fsencode(value) if isinstance(value, str) else ctypes.c_long(value) if isinstance(value, int) else value
            for value in arguments
        ]
        ctypes.set_errno(0)
        answer = int(function(*converted))
        if answer == -1:
            code = ctypes.get_errno()
            raise OSError(code, f"{name}: {os.strerror(code)}")
        return answer


def main(config: dict[str, Any]) -> None:
    """Run the steps of the mode; the exit code is the model process's own."""
    linux = sys.platform == "linux"
    libc = _Libc() if linux else None
    if libc is not None:
        die_with_parent(libc, config["caller"])
    if config["mode"] == "namespace":
        if libc is None:
            refuse(config, "namespaces: not Linux")
        sys.exit(in_namespaces(libc, config))
    sys.exit(as_process(libc, config))


def die_with_parent(libc: _Libc, parent: int) -> None:
    """Be killed when the parent ends, also if it has ended already."""
    libc.call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def in_namespaces(libc: _Libc, config: dict[str, Any]) -> int:
    """(2) and (3), then wait for the namespace's init."""
    try:
        outer = os.geteuid(), os.getegid()
        libc.call("unshare", sum(_CLONE.values()))
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{_INNER_ID} {outer[0]} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{_INNER_ID} {outer[1]} 1", encoding="ascii")
        # A change of credentials has cleared the wish to die with the parent.
        die_with_parent(libc, config["caller"])
    except OSError as error:
        refuse(config, f"namespaces: {error}")
    watch, alive = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive)
        libc.call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        shut_room(libc, config)
        # Not by getppid, which is 0 here: the pipe has ended if the parent was gone before its death was watched.
        os.set_blocking(watch, False)
        with contextlib.suppress(BlockingIOError):
            if os.read(watch, 1) == b"":
                os._exit(1)
        start(config, "/scorer/child.py", "/scorer/work")
    os.close(watch)
    os.close(config["status"])
    return wait_for(child)


def shut_room(libc: _Libc, config: dict[str, Any]) -> None:
    """(4) to (7)."""
    step = "root"
    try:
        build_root(libc, config)
        step = "pivot"
        pivot(libc, config["root"])
        step = "limits"
        with contextlib.suppress(OSError):
            # The kernel's default, an inherited keyring, may hold the caller's tickets; not every kernel has keyrings.
            libc.syscall("keyctl", 1, 0, 0, 0, 0)
        limit(config)
        resource.setrlimit(resource.RLIMIT_NPROC, (_PROCESSES, _PROCESSES))
        step = "capabilities"
        drop_privileges(libc)
    except OSError as error:
        refuse(config, f"{step}: {error}")


def build_root(libc: _Libc, config: dict[str, Any]) -> None:
    """Mount a tmpfs on config["root"] and bind into it what the model may see."""
    root = Path(config["root"])
    libc.call("mount", "none", "/", "none", _MS_REC | _MS_PRIVATE, None)
    # Here /proc is still the old one; in the new one this file is not there. Not writable in some containers.
    with contextlib.suppress(OSError):
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    tmpfs(libc, root, 2**20)
    # First, as the interpreter or the model may lie there.
    for name in ("tmp", "dev/shm"):
        tmpfs(libc, root / name, _SCRATCH_BYTES)
    for path in (*_SYSTEM, *config["interpreter"]):
        bind_read_only(libc, Path(path), root / path.lstrip("/"))
    bind_read_only(libc, Path(config["script"]), root / "scorer" / "child.py")
    for path in config["modules"]:
        bind_read_only(libc, Path(path), root / "scorer" / Path(path).name)
    bind_read_only(libc, Path(config["model"]), root / "scorer" / "model")
    if config["rival"]:
        bind_read_only(libc, Path(config["rival"]), root / "scorer" / "rival")
    bind_read_only(libc, Path(config["features"]), root / "scorer" / "work" / "features.parquet")
    for name in _DEVICES:
        (root / "dev" / name).touch()
        libc.call("mount", f"/dev/{name}", str(root / "dev" / name), None, _MS_BIND, None)
    (root / "proc").mkdir()
    # Refused where the caller's own /proc is covered in part, as in most containers: then there is none.
    with contextlib.suppress(OSError):
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        libc.call("mount", "proc", str(root / "proc"), "proc", flags, "subset=pid")
    libc.call("mount", "none", str(root), None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV, None)


def tmpfs(libc: _Libc, path: Path, size: int) -> None:
    """Mount an empty tmpfs of at most `size` bytes."""
    path.mkdir(parents=True, exist_ok=True)
    libc.call("mount", "none", str(path), "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={size},mode=755")


def bind_read_only(libc: _Libc, source: Path, target: Path) -> None:
    """Show `source` at `target`, read-only with all mounts below it.

    A source that is missing, or already seen through a folder above it, is left out.
    """
    if target.exists() or target.is_symlink():
        return
    if source.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source.readlink())
        return
    if not source.exists():
        return
    (target if source.is_dir() else target.parent).mkdir(parents=True, exist_ok=True)
    if not source.is_dir():
        target.touch()
    libc.call("mount", str(source), str(target), None, _MS_BIND | _MS_REC, None)
    attributes = struct.pack("QQQQ", _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0)
    libc.syscall("mount_setattr", _AT_FDCWD, str(target), _AT_RECURSIVE, attributes, len(attributes))


def pivot(libc: _Libc, root: str) -> None:
    """Make `root` the root and let go of the old one (pivot_root(2), "pivot_root(., .)")."""
    os.chdir(root)
    libc.syscall("pivot_root", ".", ".")
    libc.call("umount2", ".", _MNT_DETACH)
    os.chdir("/")
    with contextlib.suppress(OSError):
        socket.sethostname("scorer")


def drop_privileges(libc: _Libc) -> None:
    """No new privileges, an empty bounding set, no capabilities (capabilities(7), version 3 of capset)."""
    libc.call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(64):
        try:
            libc.call("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)
        except OSError:
            break  # beyond the kernel's last capability
    libc.call("capset", struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[0] * 6))


def as_process(libc: _Libc | None, config: dict[str, Any]) -> int:
    """Mode `process`: start the model as a child and leave no process of it behind."""
    if libc is not None:
        libc.call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        if libc is not None:
            libc.call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        limit(config)
        start(config, config["script"], config["work"])
    os.close(config["status"])
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    code = wait_for(child)
    if libc is not None:
        kill_descendants()
    return code


def kill_descendants() -> None:
    """Kill what the model left running: orphans come to this process, generation by generation."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(OSError):  # a kernel without this list
        while pids := children.read_text(encoding="ascii").split():
            for pid in map(int, pids):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def limit(config: dict[str, Any]) -> None:
    """Address space and file size as the caller says, no core files."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (config["memory"], config["memory"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (config["file_bytes"], config["file_bytes"]))


def start(config: dict[str, Any], script: str, folder: str) -> NoReturn:
    """(8) and (9): only now is the isolation a fact, and the status channel closes with the exec."""
    os.chdir(folder)
    os.write(config["status"], b"ready")
    os.close(config["status"])
    models = [config["model"], *([config["rival"]] if config["rival"] else [])]
    if config["mode"] == "namespace":
        models = ["/scorer/model", "/scorer/rival"][: len(models)]
    arguments = [config["python"], "-I", script, models[0], str(config["out"]), *config["arguments"], *models[1:]]
    os.execve(config["python"], arguments, {})  # noqa: S606


def wait_for(child: int) -> int:
    """Wait for the child and return its exit code, 128 + signal where one ended it."""
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def refuse(config: dict[str, Any], reason: str) -> NoReturn:
    """Say why the room could not be shut, and end."""
    os.write(config["status"], reason.encode(errors="replace")[:500])
    os._exit(1)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
