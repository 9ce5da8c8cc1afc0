"""Runs `gates ...` in this process, through the entry point that users call: exit codes and both streams."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from gates.cli.main import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def denying(self) -> set[str]:
        """Codes that deny, of a decision printed as JSON."""
        return {row["code"] for row in self.json["rows"] if row["disposition"] == "denies"}


def gates(*arguments: object, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        contextlib.chdir(cwd or Path.cwd()),
        mock.patch.dict(os.environ, environ or {}),
        mock.patch.object(sys, "argv", ["gates", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())
