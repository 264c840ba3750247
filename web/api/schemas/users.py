"""People: what `/users` takes and gives."""

from datetime import datetime

from pydantic import Field

from web.api.schemas.common import Id, Model
from web.api.schemas.people import Email, NewPassword, Password, Text


class User(Model):
    """Nothing secret: no hash, code or token."""

    id: Id
    email: str = Field(json_schema_extra={"format": "email"})
    username: str
    full_name: str | None = None
    is_active: bool = True
    is_streamer: bool = False
    avatar_url: str | None = None
    bio: str | None = None
    email_verified: bool = False
    created_at: datetime
    updated_at: datetime | None = None


class UserCreate(Model):
    """`is_active` is heeded where a superuser makes the account."""

    email: Email
    username: Text
    password: NewPassword
    full_name: Text | None = None
    is_active: bool = True
    is_streamer: bool = False
    avatar_url: Text | None = None
    bio: Text | None = None
    invite: str | None = None
    """The end of an invitation's link, where one is needed."""


class UserUpdateMe(Model):
    """What is left out stays. `current_password`: for another address or password when the sign-in is older than a
    quarter of an hour."""

    full_name: Text | None = None
    email: Email | None = None
    password: NewPassword | None = None
    username: Text | None = None
    avatar_url: Text | None = None
    bio: Text | None = None
    current_password: Password | None = None


class UserUpdate(Model):
    """What is left out stays. `current_password` is the superuser's own."""

    email: Email | None = None
    username: Text | None = None
    full_name: Text | None = None
    avatar_url: Text | None = None
    bio: Text | None = None
    is_active: bool | None = None
    current_password: Password | None = None
