"""YAML as plain values: of what people write by hand, beside the JSON of records."""

from __future__ import annotations

from typing import Any


def parse_yaml(raw: bytes) -> Any:
    """Parse one document of YAML 1.2 to plain values.

    Raises
    ------
    ValueError: the bytes are none, be it a date that there is not or a nesting without end; its text is one line.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(raw.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except (YAMLError, ValueError) as error:
        said = str(getattr(error, "problem", None) or error).partition("\n")[0]
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"line {mark.line + 1}: {said}" if mark is not None else said) from error
