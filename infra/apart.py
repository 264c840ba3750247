"""Work on strangers' files, done by a module of ours in a process of its own.

The child has no secrets in its environment, little memory and little time, writes no file, and is killed when it wants
more: a decoder that hangs, grows or crashes over a crafted file is its own misfortune. And one that is taken over finds
nothing: it can read no file but Python's and its libraries', so neither our environment in /proc nor DATA_DIR, and
reaches no other program (Landlock; docs/decisions/0040-uploads.md says where that is not so).
"""

import asyncio
import resource
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

_turns = asyncio.Semaphore(2)
"""How many work at once; the others wait for theirs."""


@dataclass(frozen=True)
class Done:
    code: int
    """The exit status; negative: the signal that ended it."""
    output: bytes


async def run_apart(module: str, *arguments: str, given: bytes, seconds: float) -> Done:
    """`python -m module arguments`, with `given` on its standard input. Raises TimeoutError after `seconds`."""
    async with _turns:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, cwd=_ROOT, env={},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(seconds):
                output, _nothing = await process.communicate(given)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode is not None
    return Done(process.returncode, output)


def limit_this_process(*, cpu_seconds: int, memory_bytes: int) -> None:
    """The child's first act."""
    leave_only(_LIBRARIES)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
