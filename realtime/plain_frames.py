"""The frames of version 1's plain WebSockets (contracts of API v1, "WebSockets"): a donation and its level.

That version spoke Russian only, and counted in roubles.
"""

import json
from dataclasses import dataclass
from typing import Any

from domain.alert_looks import fill_template
from domain.alert_tiers import ANONYMOUS_TEXT_TEMPLATE, AlertSettings, Tier, choose_tier, v1_tier
from domain.alerts import AlertKind

NOBODY = "Аноним"
MISSED = "Пока вас не было"
REACHED = "Цель достигнута"


@dataclass(frozen=True)
class Words:
    """What a frame says; kopecks. `donor_name` None: anonymous; of what is no donation it is the title, if any."""

    donor_name: str | None
    message: str
    amount_minor: int
    is_donation: bool = True


def words_of_offer(offer: dict[str, Any]) -> Words:
    """Of an alert as overlays are offered it. That version knew donations only: what is none says so in its name."""
    titles = {
        AlertKind.SUMMARY.value: MISSED,
        AlertKind.GOAL.value: REACHED,
        AlertKind.CUSTOM.value: offer["donor_name"] or "",
    }
    title = titles.get(offer["kind"])
    name = offer["donor_name"] if title is None else title
    return Words(name, offer["message"], offer["amount_minor"], is_donation=title is None)


def donation_frame(words: Words, settings: AlertSettings) -> str:
    tier = choose_tier(settings, words.amount_minor)
    name = NOBODY if words.donor_name is None else words.donor_name
    amount = roubles(words.amount_minor)
    if words.is_donation:
        text = fill_template(
            _template(settings, tier, is_anonymous=words.donor_name is None),
            donor_name=name,
            amount=f"{amount:.2f}" if isinstance(amount, float) else str(amount),
            message=words.message,
        ).strip()
    else:
        # Nobody "donates" a goal.
        text = ": ".join(part for part in (name, words.message) if part)
    donation = {
        "donor_name": name,
        "amount": amount,
        "message": words.message,
        "currency": "₽",
        "is_anonymous": words.donor_name is None,
        "formatted_text": text,
    }
    frame = {"type": "donation", "donation": donation, "tier": None if tier is None else v1_tier(tier)}
    return json.dumps(frame, ensure_ascii=False)


def roubles(amount_minor: int) -> int | float:
    """150 or 150.5, as the first version wrote them."""
    return amount_minor // 100 if amount_minor % 100 == 0 else amount_minor / 100


def _template(settings: AlertSettings, tier: Tier | None, *, is_anonymous: bool) -> str:
    if is_anonymous and settings.anonymous_text_template != ANONYMOUS_TEXT_TEMPLATE:
        return settings.anonymous_text_template
    return settings.donation_text_template if tier is None else tier.text_template
