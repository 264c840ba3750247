"""Text, addresses and passwords of people, checked as they come in."""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from domain.errors import InvalidInputError
from domain.passwords import MAX_LENGTH
from domain.users import clean_email


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text holds no NUL")
    return text


def _email(text: str) -> str:
    try:
        return clean_email(text)
    except InvalidInputError:
        raise ValueError("this is not an e-mail address") from None


Text = Annotated[str, AfterValidator(_storable)]
Email = Annotated[str, AfterValidator(_email), WithJsonSchema({"type": "string", "format": "email"})]
"""As we keep it: in lower case."""
Password = Annotated[Text, Field(max_length=MAX_LENGTH)]
"""One that is asked for; a longer one is nobody's."""
NewPassword = Annotated[Text, WithJsonSchema({"type": "string", "maxLength": MAX_LENGTH})]
"""`web.api.people.check_password` refuses what breaks the rule, and says which."""
