"""Whether browsers, OBS and the bank trust the site's certificate (DESIGN 23)."""

import logging
from functools import cache
from pathlib import Path

from infra.certificates import is_self_signed

log = logging.getLogger(__name__)


def is_trusted(certificate_file: Path | None) -> bool | None:
    """False: nobody vouches for it. None: we do not know, there is no file of ours to look at.

    A replaced file is noticed at once.
    """
    if certificate_file is None:
        return None
    try:
        return _is_trusted(certificate_file, certificate_file.stat().st_mtime_ns)
    except OSError:
        return None


@cache
def _is_trusted(certificate_file: Path, _modified_ns: int) -> bool | None:
    try:
        return not is_self_signed(certificate_file)
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read as a certificate: %s", certificate_file.name, error)
        return None
