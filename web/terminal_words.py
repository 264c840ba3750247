"""Words about connecting each provider: what its two secrets are called, where they are, what went wrong."""

from dataclasses import dataclass

from providers.provider import Provider
from web.context import parts
from web.i18n import _

# The names that providers give themselves and their secrets are msgids; here the catalogue finds them.
N_ = str
_MSGIDS = (N_("T-Bank"), N_("Terminal key"), N_("YooKassa"), N_("Shop id"), N_("Secret key"))


@dataclass(frozen=True)
class ProviderWords:
    """For a page; `key` and `secret` are the fields' labels, the rest whole sentences."""

    title: str
    key: str
    secret: str
    steps: tuple[str, ...]
    """Where the pair is found and where the notifications' address goes."""
    events: tuple[str, ...]
    """What the provider's own cabinet calls the notifications to switch on; empty: all come by themselves."""
    test: str
    wrong: str
    away: str


def provider_title(provider: str) -> str:
    """As people read it; of a provider by its name."""
    return _(parts().providers[provider].title)


def trial_pair(provider: str, streamer_id: int) -> tuple[str, str] | None:
    """Key and secret to try the form with, where the simulator is the bank (docs/simulator.md): each streamer her own,
    since no two may share a terminal."""
    settings = parts().settings
    if provider != "tbank" or not settings.in_development or provider not in settings.provider_api_urls:
        return None
    return f"1{streamer_id % 1_000_000:012}DEMO", "simulator-trial"


def words_of(provider: Provider) -> ProviderWords:
    title, key, secret = _(provider.title), _(provider.key_title), _(provider.secret_title)
    match provider.name:
        case "tbank":
            return ProviderWords(
                title,
                key,
                secret,
                steps=(
                    _("In T-Bank Business open Internet acquiring → Shops → your shop → Terminals."),
                    _(
                        "Copy the terminal key and the password of one terminal. A key that ends in DEMO is for "
                        "trying out."
                    ),
                    _(
                        "We send the address for notifications with each payment. Set it in the terminal, too "
                        "(Notifications → by HTTP): then nothing gets lost that does not belong to a payment."
                    ),
                ),
                events=(),
                test=_("The key ends in DEMO: the bank's test cards pay here, and no money comes."),
                wrong=_(
                    "T-Bank did not accept the key: terminal and password do not fit each other. Copy both from one "
                    "terminal, without spaces."
                ),
                away=_("T-Bank does not answer now, so the key could not be checked. Nothing was saved."),
            )
        case "yookassa":
            return ProviderWords(
                title,
                key,
                secret,
                steps=(
                    _(
                        "In YooKassa's dashboard: shopId is under Settings → Shop, the secret key under Integration → "
                        "API keys."
                    ),
                    _(
                        "A secret key is shown once. If it is lost, make a new one: the old one stops working at "
                        "YooKassa."
                    ),
                    _(
                        "Under Integration → HTTP notifications enter this address and switch on the events below. "
                        "Without it donations are seen minutes later."
                    ),
                ),
                events=("payment.succeeded", "payment.canceled", "refund.succeeded"),
                test=_("The key begins with test_: the shop is a test one, and no money comes."),
                wrong=_(
                    "YooKassa did not accept the key: shopId and secret key do not fit each other. Copy both from one "
                    "shop, without spaces."
                ),
                away=_("YooKassa does not answer now, so the key could not be checked. Nothing was saved."),
            )
    return ProviderWords(
        title,
        key,
        secret,
        steps=(_("You find both in the provider's cabinet. Enter this address there for notifications."),),
        events=(),
        test=_("This account is a test one: no money comes."),
        wrong=_("The provider did not accept the key: the two do not fit each other. Copy both from one account."),
        away=_("The provider does not answer now, so the key could not be checked. Nothing was saved."),
    )
