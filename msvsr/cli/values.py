"""What a person may type for a time, a rate, a ratio or a setting."""

import argparse
import re
from fractions import Fraction

__all__ = ["names", "pair", "rate", "ratio", "seconds"]

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)")
_NTSC_RATES = tuple(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120, 240))


def seconds(text: str) -> Fraction:
    """Read a time.

    Example:
        >>> seconds("12.5"), seconds("1:02:30")
        (Fraction(25, 2), Fraction(3750, 1))
    """
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is no time: expected 12.5, 1:30 or 1:02:30.5")
    hours, minutes, rest = (Fraction(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest


def rate(text: str) -> Fraction:
    """Read a frame rate; the usual short forms of NTSC rates mean the exact ones.

    Example:
        >>> rate("60"), rate("59.94"), rate("23.976"), rate("12.5")
        (Fraction(60, 1), Fraction(60000, 1001), Fraction(24000, 1001), Fraction(25, 2))
    """
    value = _positive(text)
    if value is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no frame rate: expected 25 or 30000/1001")
    short_forms = {round(exact, digits): exact for exact in _NTSC_RATES for digits in (2, 3)}
    return short_forms.get(value, value)


def ratio(text: str) -> Fraction:
    """Read a ratio.

    Example:
        >>> ratio("2.5"), ratio("5/2")
        (Fraction(5, 2), Fraction(5, 2))
    """
    value = _positive(text)
    if value is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no ratio: expected 2, 2.5 or 5/2")
    return value


def names(text: str) -> tuple[str, ...]:
    """Read several names.

    Example:
        >>> names("niqe, psnr")
        ('niqe', 'psnr')
    """
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(f"'{text}' is no list of names: expected A or A,B")
    return found


def pair(text: str) -> tuple[str, str]:
    """Read a setting.

    Example:
        >>> pair("tune=film")
        ('tune', 'film')
    """
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"'{text}' is no KEY=VALUE")
    return key, value


def _positive(text: str) -> Fraction | None:
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
    return value if value > 0 else None
