"""How each page of the settings is set now, in a few words (`settings.py`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from domain import (
    access_tokens,
    alert_settings,
    archives,
    blocks,
    buttons,
    first_steps,
    goals,
    grants,
    receipts,
    requisites,
    webhooks,
)
from domain.first_steps import STEPS
from domain.goals import GoalStatus
from domain.identities import list_identities
from domain.moderation import Mode
from domain.moderation_settings import get_settings
from domain.overlays import list_overlays
from domain.receipts import Receipts
from domain.sessions import list_sessions
from domain.streamers import Streamer
from domain.users import User, is_email_confirmed
from domain.webhooks import OffReason
from web.bank_state import BankState, read_bank
from web.context import parts
from web.i18n import _, format_date, ngettext
from web.pages.first_steps_view import payee_titles
from web.pages.my_account import zone_of
from web.terminal_words import provider_title


@dataclass(frozen=True)
class State:
    words: str
    look: str = ""
    """"warn": something is to be done there."""


async def _first_steps(connection: Any, _user: User, streamer: Streamer) -> State:
    progress = await first_steps.read_progress(connection, streamer.id)
    return State(_("%(done)s of %(all)s done", done=len(progress.done), all=len(STEPS)))


async def _overlay(connection: Any, _user: User, streamer: Streamer) -> State:
    sources = sum(overlay.in_obs for overlay in await list_overlays(connection, streamer.id))
    if not sources:
        return State(_("OBS is not connected"))
    return State(ngettext("%(num)s source in OBS", "%(num)s sources in OBS", sources))


async def _moderation(connection: Any, _user: User, streamer: Streamer) -> State:
    chosen = await get_settings(connection, streamer.id)
    minutes = ngettext("%(num)s minute", "%(num)s minutes", chosen.hold_minutes)
    match chosen.mode:
        case Mode.OFF:
            return State(_("off"))
        case Mode.APPROVE:
            return State(_("approve first, %(minutes)s", minutes=minutes))
    return State(_("filter, %(minutes)s", minutes=minutes))


async def _alerts(connection: Any, _user: User, streamer: Streamer) -> State:
    chosen = await alert_settings.get_settings(connection, streamer.id)
    if not chosen.alerts_enabled:
        return State(_("off: new donations are not shown"), "warn")
    return State(ngettext("%(num)s level", "%(num)s levels", len(chosen.tiers)))


async def _blocks(connection: Any, _user: User, streamer: Streamer) -> State:
    number = len(await blocks.list_blocks(connection, streamer.id))
    return State(ngettext("%(num)s blocked", "%(num)s blocked", number) if number else _("nobody blocked"))


async def _goals(connection: Any, _user: User, streamer: Streamer) -> State:
    known = await goals.list_goals(connection, streamer.id)
    active = next((goal for goal in known if goal.status is GoalStatus.ACTIVE), None)
    planned = sum(goal.status is GoalStatus.PLANNED for goal in known)
    waiting = ngettext("%(num)s planned", "%(num)s planned", planned)
    if active is None:
        return State(waiting if planned else _("none"))
    return State(f"{active.title} · {waiting}" if planned else active.title)


async def _keys(connection: Any, _user: User, streamer: Streamer) -> State:
    keys = [key for key in await access_tokens.list_keys(connection, streamer.owner_id) if not key.is_expired]
    allowed = len(await grants.list_allowed(connection, streamer.owner_id))
    number = ngettext("%(num)s key", "%(num)s keys", len(keys)) if keys else _("no keys")
    if not allowed:
        return State(number)
    return State(number + " · " + ngettext("%(num)s application", "%(num)s applications", allowed))


async def _terminals(connection: Any, _user: User, streamer: Streamer) -> State:
    bank = await read_bank(connection, streamer.id)
    match bank.state:
        case BankState.NONE:
            return State(_("not connected: the page is closed"), "warn")
        case BankState.UNREADABLE | BankState.REFUSES:
            return State(_("%(provider)s: needs your attention", provider=provider_title(bank.provider)), "warn")
        case BankState.AWAY:
            return State(_("%(provider)s: does not answer now", provider=provider_title(bank.provider)), "warn")
    if bank.is_test_mode:
        return State(_("%(provider)s, test mode", provider=provider_title(bank.provider)))
    return State(provider_title(bank.provider))


async def _payee(connection: Any, _user: User, streamer: Streamer) -> State:
    payee = (await first_steps.read_progress(connection, streamer.id)).payee
    return State(_("not chosen") if payee is None else payee_titles()[payee])


async def _requisites(connection: Any, _user: User, streamer: Streamer) -> State:
    known = await requisites.get_requisites(connection, streamer.id)
    if known is None or not known.is_complete:
        return State(_("not filled in: donors see no legal pages"), "warn")
    marks = [
        known.age_mark,
        _("in the register of Roskomnadzor") if known.registry_url else _("no link to the register"),
        _("label of a foreign agent") if known.is_foreign_agent else "",
    ]
    return State(", ".join([_("filled in"), *(mark for mark in marks if mark)]))


async def _receipts(connection: Any, _user: User, streamer: Streamer) -> State:
    kind = (await receipts.get_settings(connection, streamer.id)).kind
    words = {Receipts.NONE: _("no receipts"), Receipts.NPD: _("self-employed"), Receipts.FISCAL: _("cash register")}
    return State(words[kind])


async def _page(_connection: Any, _user: User, streamer: Streamer) -> State:
    number = len(streamer.preset_amounts_minor)
    amounts = ngettext("%(num)s amount", "%(num)s amounts", number) if number else _("no ready amounts")
    return State(f"/{streamer.slug}, {amounts}")


async def _webhooks(connection: Any, _user: User, streamer: Streamer) -> State:
    found = await webhooks.list_webhooks(connection, streamer.id)
    if any(webhook.off_reason in (OffReason.GONE, OffReason.FAILING) for webhook in found):
        return State(_("one is switched off"), "warn")
    return State(ngettext("%(num)s webhook", "%(num)s webhooks", len(found)) if found else _("none"))


async def _buttons(connection: Any, _user: User, streamer: Streamer) -> State:
    number = len(await buttons.list_buttons(connection, streamer.id))
    return State(ngettext("%(num)s button", "%(num)s buttons", number) if number else _("none"))


async def _account(connection: Any, user: User, _streamer: Streamer) -> State:
    if await is_email_confirmed(connection, user.id):
        return State(_("e-mail: confirmed"))
    return State(_("e-mail: not confirmed"))


async def _identities(connection: Any, user: User, _streamer: Streamer) -> State:
    number = len(await list_identities(connection, user.id))
    return State(ngettext("%(num)s linked", "%(num)s linked", number) if number else _("none"))


async def _devices(connection: Any, user: User, _streamer: Streamer) -> State:
    return State(ngettext("%(num)s device", "%(num)s devices", len(await list_sessions(connection, user.id))))


async def _data(connection: Any, user: User, streamer: Streamer) -> State | None:
    archive = await archives.get_latest(connection, user.id)
    if archive is None:
        return None
    if archive.is_open:
        return State(_("being packed"))
    day = format_date(archive.created_at, zone_of(streamer))
    return State(_("file of %(day)s", day=day)) if archive.finished_at else None


async def _deletion(_connection: Any, user: User, streamer: Streamer) -> State | None:
    if user.delete_at is None:
        return None
    return State(_("will be deleted on %(day)s", day=format_date(user.delete_at, zone_of(streamer))), "warn")


async def _mail(_connection: Any, _user: User, _streamer: Streamer) -> State:
    return State(_("the site sends letters") if parts().settings.sends_mail else _("the site sends none"))


STATES: dict[str, Callable[[Any, User, Streamer], Awaitable[State | None]]] = {
    "first_steps.show": _first_steps,
    "dashboard.show#overlay": _overlay,
    "moderation_settings.show": _moderation,
    "blocks.show": _blocks,
    "goals.show": _goals,
    "terminals.show": _terminals,
    "payee.show": _payee,
    "requisites.show": _requisites,
    "receipts.show": _receipts,
    "page.show": _page,
    "alert_settings.show": _alerts,
    "buttons.show": _buttons,
    "keys.show": _keys,
    "webhooks.show": _webhooks,
    "my_account.show": _account,
    "my_account.show#identities": _identities,
    "my_account.show#sessions": _devices,
    "my_account.show#data": _data,
    "my_account.show#delete": _deletion,
    "admin_mail.show": _mail,
}
