"""Which processes of a test run are still there when it is over."""

import os

import psutil

MARK = "STREAMCASH_TEST_RUN"


def mark_this_run() -> None:
    """From now on every program started here carries our number in its environment."""
    os.environ[MARK] = str(os.getpid())


def leftover_processes() -> list[psutil.Process]:
    """Our children, theirs, and whoever carries our mark, which also finds those that lost their parent.

    Whoever is just ending gets ten seconds to do so.
    """
    _, alive = psutil.wait_procs(processes_of_this_run(), timeout=10)
    return [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def processes_of_this_run() -> list[psutil.Process]:
    """Our children, theirs, and whoever carries our mark; not ourselves."""
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(MARK) == str(os.getpid())
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if marked or process.pid in children:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found
