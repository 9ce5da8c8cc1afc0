"""`python -m study [NAME...] [--scale 1.0] [--out docs/study]`: run the studies, write their pages, fail where one must."""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from study import STUDIES
from study.index import write_index
from study.page import Page
from study.rules import ROOT
from study.runner import Runner


def main() -> None:
    parser = argparse.ArgumentParser(prog="study", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(STUDIES)}; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full number of runs")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/study")
    options = parser.parse_args()
    unknown = set(options.names) - set(STUDIES)
    if unknown:
        parser.error(f"no such study: {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as executor:
        runner = Runner(options.scale, executor=executor, say=lambda text: print(text, flush=True))
        pages = [_run(name, runner, options.out) for name in options.names or STUDIES]
    if not options.names:
        write_index(pages, options.out)
    broken = [f"{page.name}: {p.what}: {p.seen} of {p.runs}, {p.words}" for page in pages for p in page.broken]
    kept = sum(len(page.promises) for page in pages) - len(broken)
    print(f"{kept} promises kept, {len(broken)} broken, {time.monotonic() - begin:.0f} s", flush=True)
    if broken:
        raise SystemExit("\n".join(["study: broken:", *broken]))


def _run(name: str, runner: Runner, out: Path) -> Page:
    print(name, flush=True)
    page: Page = import_module(f"study.{name}").study(runner)
    page.write(out)
    return page


if __name__ == "__main__":
    main()
