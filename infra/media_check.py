"""Uploaded pictures and sounds are decoded in a process of their own (`infra/apart.py`), and told what they are.

`python -m infra.media_check check CONTENT_TYPE` and `… cut CONTENT_TYPE START END` read the file from standard input.
They write a line of JSON, {"refusal": code} or what was found, and behind it the bytes that are to be served.
"""

import json
import sys
from dataclasses import asdict, replace
from typing import Any

from infra.apart import limit_this_process, run_apart
from infra.media_verdict import Checked, MediaError

SECONDS_MAX = 20.0
_CPU_SECONDS = 15
_MEMORY_BYTES = 1024**3


async def check_apart(content_type: str, raw: bytes) -> Checked:
    """What it is. Raises MediaError."""
    told, content = await _ask("check", content_type, given=raw)
    return Checked(content, **told)


async def cut_apart(content_type: str, raw: bytes, start: float, end: float | None) -> bytes:
    """A part of a sound, in seconds, as MP3. Raises MediaError."""
    return (await _ask("cut", content_type, repr(start), "" if end is None else repr(end), given=raw))[1]


async def _ask(*arguments: str, given: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        done = await run_apart("infra.media_check", *arguments, given=given, seconds=SECONDS_MAX)
    except TimeoutError as error:
        raise MediaError("too_slow") from error
    if done.code != 0:
        # Decoders crash, or want more than they may have: whichever it was, the file is not usable.
        raise MediaError("too_slow" if done.code in (-9, -24) else "not_readable")
    line, _, content = done.output.partition(b"\n")
    told: dict[str, Any] = json.loads(line)
    if "refusal" in told:
        raise MediaError(told["refusal"])
    return told, content


def check(content_type: str, raw: bytes) -> Checked:
    """The work itself. Raises MediaError."""
    try:
        if content_type.startswith("image/"):
            from infra.media_pictures import check_picture

            return check_picture(content_type, raw)
        from infra.media_sounds import check_sound

        return check_sound(content_type, raw)
    except MediaError:
        raise
    except Exception as error:
        raise MediaError("not_readable") from error


def cut(content_type: str, raw: bytes, start: float, end: float | None) -> bytes:
    """The work itself. Raises MediaError."""
    from infra.media_sounds import cut_sound

    try:
        return cut_sound(content_type, raw, start, end)
    except MediaError:
        raise
    except Exception as error:
        raise MediaError("not_readable") from error


def main() -> int:
    limit_this_process(cpu_seconds=_CPU_SECONDS, memory_bytes=_MEMORY_BYTES)
    act, content_type, *part = sys.argv[1:]
    raw = sys.stdin.buffer.read()
    try:
        if act == "check":
            checked = check(content_type, raw)
        else:
            checked = Checked(cut(content_type, raw, float(part[0]), float(part[1]) if part[1] else None))
        told: dict[str, Any] = asdict(replace(checked, content=b""))
        del told["content"]
        content = checked.content
    except MediaError as error:
        told, content = {"refusal": error.code}, b""
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
