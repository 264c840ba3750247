"""Ways in: what `/auth` takes and gives."""

from typing import Literal

from pydantic import Field

from web.api.schemas.common import Model
from web.api.schemas.people import Email, NewPassword, Password, Text

CODE_MAX_LENGTH = 100


class LoginForm(Model):
    """As OAuth 2 names them; `username` is the e-mail."""

    username: Text = Field(max_length=320)
    password: Password = Field(json_schema_extra={"format": "password"})
    grant_type: str | None = Field(default=None, pattern="^password$")
    scope: str = ""
    client_id: str | None = None
    client_secret: str | None = Field(default=None, json_schema_extra={"format": "password"})


class Token(Model):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105


class EmailVerificationRequest(Model):
    email: Email


class EmailVerificationCode(Model):
    email: Email
    code: Text = Field(max_length=CODE_MAX_LENGTH)


class PasswordResetRequest(Model):
    email: Email


class PasswordResetConfirm(Model):
    email: Email
    code: Text = Field(max_length=CODE_MAX_LENGTH)
    new_password: NewPassword
