"""The page that asks for a code from a letter: the same for a new account, a new password and a new address.

It says nothing about whether the address has an account.
"""

from dataclasses import dataclass
from typing import Any

from quart import Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain import confirmations
from domain.confirmations import Confirmation, Purpose, Tried
from web.account_limits import take_letter
from web.context import parts
from web.i18n import _
from web.letter_post import mailer
from web.secret_cookies import keep_cookie, read_cookie

COOKIE_SECONDS = 60 * 60


@dataclass(frozen=True)
class CodeForm:
    """Which question this page asks; `template` extends pages/code_layout.html."""

    purpose: Purpose
    template: str
    endpoint: str
    """Of the page itself."""
    begin: str
    """Endpoint of the page where one asks anew, once the question is gone."""

    @property
    def _cookie(self) -> str:
        return f"code-{self.purpose}"

    def remember(self, token: str) -> None:
        keep_cookie(self._cookie, token, seconds=COOKIE_SECONDS)

    def forget(self) -> None:
        keep_cookie(self._cookie, "", seconds=0)

    @property
    def token(self) -> str:
        return read_cookie(self._cookie)

    async def find(self) -> Confirmation | None:
        """What this browser was asked, if it still is."""
        if not self.token:
            return None
        async with parts().pool.acquire() as connection:
            return await confirmations.find(connection, self.token, self.purpose)

    async def page(self, asked: Confirmation, *, errors: dict[str, str] | None = None, **values: Any) -> Response:
        if errors is None and request.args.get("tried") in set(Tried):
            errors = {"code": tried_words(Tried(request.args["tried"]), asked)}
        errors = errors or {}
        html = await render_template(
            self.template,
            asked=asked,
            errors=errors,
            pause_seconds=int(asked.pause_left_seconds) + 1 if asked.pause_left_seconds > 0 else 0,
            **values,
        )
        return Response(html, 422 if errors and request.method == "POST" else 200)

    async def refused(self, tried: Tried) -> ResponseReturnValue:
        """After a code that did not fit: the page again by an address of its own, since reloading the answer of a form
        would use up another try."""
        if await self.find() is None:
            return redirect(url_for(self.begin), 303)
        return redirect(url_for(self.endpoint, tried=tried), 303)

    async def send_again(self) -> bool:
        """Another code, if it is time for one."""
        asked = await self.find()
        if asked is None:
            return False
        await take_letter(asked.email, asked.purpose)
        async with parts().pool.acquire() as connection, connection.transaction():
            sent = await confirmations.send_again(connection, mailer(), self.token, asked)
        parts().relay.wake()
        return sent


def tried_words(tried: Tried, asked: Confirmation) -> str:
    if tried is Tried.OVER or asked.is_over:
        return _("This code is no longer good: it was tried too often or is too old. Ask for another one.")
    return _("This is not the code. Take the one in the newest letter.")
