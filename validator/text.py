"""Text for people: hostile characters made visible, long values cut, numbers rounded."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Final

ELLIPSIS: Final = "…"
TIMES: Final = "\N{MULTIPLICATION SIGN}"

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that show nothing or change how their neighbours are shown (bidi overrides are Cf)."""

_LINE: Final = 60
"""How many characters of a name or value are shown in a sentence."""


def visible(text: str) -> str:
    """Returns the text with control, bidi, surrogate and unassigned characters as hexadecimal escapes."""
    if text.isprintable():
        # Of all characters that are escaped below none is. Measured: a sixth of a report of 20,000 columns.
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


def cut(text: str, limit: int = _LINE) -> str:
    """Returns at most `limit` characters, the last of them an ellipsis when something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + ELLIPSIS


def shown(value: str, limit: int = _LINE) -> str:
    """Returns a name or value fit for a sentence: visible, cut."""
    return cut(visible(value[: limit + 1]), limit)


def quoted(value: str, limit: int = _LINE) -> str:
    """Returns a value of the data in quotes, fit for a sentence."""
    return f"“{shown(value, limit)}”"


def number(value: float) -> str:
    """Returns three significant digits; whole numbers (ids, times) in full, thousands grouped."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, "not a number")
    if value == int(value) and abs(value) < 10**12:
        return f"{int(value):,}"
    if 1000 <= abs(value) < 1_000_000:
        return f"{value:,.0f}"
    if 0.001 <= abs(value) < 1000:
        return f"{float(f'{value:.3g}'):.10g}"
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def exact(value: float) -> str:
    """Returns a limit or an extreme as it is: all digits a double holds, no trailing zeros."""
    return f"{value:,.15g}" if math.isfinite(value) else number(value)


def count(value: int, noun: str, plural: str = "") -> str:
    """Returns a number with its noun: `1 row`, `25,000 rows`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """Returns a share as a percentage: one decimal; what is not quite none or all never reads as such."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{share * 100:.1f}".removesuffix(".0") + "%"


def listed(words: Sequence[str], limit: int = 3) -> str:
    """Returns a list as in a sentence: `a, b and 4 more`."""
    if len(words) > limit:
        return f"{', '.join(words[:limit])} and {len(words) - limit:,} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def size(number_of_bytes: int) -> str:
    """Returns a size in bytes as kB, MB or GB (powers of 1,000)."""
    if number_of_bytes < 1000:
        return count(number_of_bytes, "byte")
    power = min(int(math.log10(number_of_bytes) // 3), 4)
    return f"{number(number_of_bytes / 1000**power)} {'kMGT'[power - 1]}B"


def seconds(value: float) -> str:
    """Returns a duration: `0.4 s`, `75 s`, `2 min 5 s`."""
    if value < 100:
        return f"{number(round(value, 1))} s"
    return f"{int(value // 60):,} min {int(value % 60)} s"


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
