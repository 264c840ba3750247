"""Work on strangers' files, done by a module of ours in a process of its own.

The child has no secrets in its environment, little memory and little time, writes no file, says so much and no more,
and is killed when it wants more: a decoder that hangs, grows or crashes over a crafted file is its own misfortune. And
one that is taken over finds nothing: it can read no file but Python's and its libraries', so neither our environment in
/proc nor DATA_DIR, and reaches no other program (Landlock; docs/decisions/0040-uploads.md says where that is not so).
"""

import asyncio
import contextlib
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.landlock import leave_only

# Not from infra.settings: the child shall start quickly.
_ROOT = Path(__file__).resolve().parent.parent

# Where modules and what they link to are loaded from. Of this project only `infra`: DATA_DIR may be in it.
_LIBRARIES = tuple(
    {
        Path(place).resolve()
        for place in (
            "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom",
            sys.prefix, sys.base_prefix, *sys.path[1:], str(_ROOT / "infra"),
        )
    }
    - {_ROOT, *_ROOT.parents}
)  # fmt: skip

MOST_OUTPUT_BYTES = 64 * 1024**2
"""Three times the largest upload: whoever writes more has no use for us."""
_CHUNK_BYTES = 64 * 1024
_END_SECONDS = 5.0
"""For one that was killed."""

_turns = asyncio.Semaphore(2)
"""How many work at once; the others wait for theirs."""


@dataclass(frozen=True)
class Done:
    code: int
    """The exit status; negative: the signal that ended it."""
    output: bytes


async def run_apart(module: str, *arguments: str, given: bytes, seconds: float) -> Done:
    """`python -m module arguments`, with `given` on its standard input. Raises TimeoutError after `seconds`. One that
    writes more than MOST_OUTPUT_BYTES is killed, and what it wrote is not kept."""
    async with _turns:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, cwd=_ROOT, env={},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(seconds):
                output = await _talk(process, given)
                if output is not None:
                    return Done(await process.wait(), output)
        finally:
            await _end(process)
    return Done(-signal.SIGKILL, b"")


async def _talk(process: asyncio.subprocess.Process, given: bytes) -> bytes | None:
    """Give it `given`, and read all that it writes meanwhile. None: too much."""
    assert process.stdout is not None
    feeding = asyncio.create_task(_feed(process, given))
    output = bytearray()
    try:
        while chunk := await process.stdout.read(_CHUNK_BYTES):
            output += chunk
            if len(output) > MOST_OUTPUT_BYTES:
                return None
        await feeding
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    return bytes(output)


async def _feed(process: asyncio.subprocess.Process, given: bytes) -> None:
    assert process.stdin is not None
    # It may end without having read all of it.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(given)
        await process.stdin.drain()
        process.stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.kill()
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            # Only when its output is at its end do later versions of Python say that a process is.
            while await process.stdout.read(_CHUNK_BYTES):
                pass
            await process.wait()


def limit_this_process(*, cpu_seconds: int, memory_bytes: int) -> None:
    """The child's first act."""
    leave_only(_LIBRARIES)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
