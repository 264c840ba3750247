"""The domain's errors.

    DomainError
    ├── NotFoundError            the row asked for is not there (or not the caller's)
    ├── NotAllowedError          it is there, but its state or the caller's role forbids it
    └── InvalidInputError        a value breaks a rule; names the field

An error carries a code and data; the words for people are made in `web/`, in their language.
"""

from typing import Any


class DomainError(Exception):
    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data


class NotFoundError(DomainError):
    pass


class NotAllowedError(DomainError):
    pass


class InvalidInputError(DomainError):
    def __init__(self, field: str, code: str, **data: Any) -> None:
        super().__init__(code, **data)
        self.field = field
