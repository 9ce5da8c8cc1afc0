"""Names that other people gave, made safe to show on one line: part of every view, before any markup."""

from __future__ import annotations

from gates.records.measurement import Item, Slice


def visible(text: str, *, longest: int = 120) -> str:
    r"""Return the text on one line with every unseen character written as an escape.

    Control characters would steer a terminal, bidirectional marks would reorder a line, line ends would forge rows:
    each becomes `\x1b` or `\u202e`. Beyond `longest` characters the middle is cut.
    """
    shown = "".join(char if char.isprintable() else _escape(char) for char in text)
    if len(shown) <= longest:
        return shown
    half = (longest - 1) // 2
    return f"{shown[:half]}…{shown[-half:]}"


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def slice_text(slice_: Slice) -> str:
    if slice_.kind == "value":
        return f"{visible(slice_.column or '')}={visible(slice_.value or '')}"
    return {"whole": "all rows", "rest": "the other slices together"}[slice_.kind]


def item_text(item: Item | None) -> str:
    if item is None:
        return ""
    return "decision region" if (item.kind, item.name) == ("bin", "decision") else f"{item.kind} {visible(item.name)}"


def place_text(slice_: Slice, item: Item | None) -> str:
    """Which rows and which part of them; empty for the whole of all rows."""
    where = "" if slice_.kind == "whole" else slice_text(slice_)
    return " of ".join(part for part in (item_text(item), where) if part)
