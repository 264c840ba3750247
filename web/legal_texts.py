"""The pages a bank and the law look for, in words: made from a streamer's requisites, in one language.

A `Document` is plain text in sections, so that it can be shown, kept word for word (`domain/terms.py`) and shown again
a year later. The words are careful on purpose: support is voluntary, and nothing is given in return.
"""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache

from domain.requisites import Kind, RefundRule, Requisites
from web.i18n import _, ngettext, use_locale

NAMES = ("offer", "refunds", "contacts", "privacy")
"""The public pages, in the order of the links to them."""


@dataclass(frozen=True)
class Section:
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    name: str
    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Recipient:
    """All that the words depend on. `requisites` None: only the consent can be made."""

    slug: str
    display_name: str
    site_url: str
    requisites: Requisites | None

    @property
    def page_url(self) -> str:
        return f"{self.site_url}/donate/{self.slug}"


def title_of(name: str) -> str:
    return {
        "offer": _("Terms of voluntary support"),
        "refunds": _("Refunds"),
        "contacts": _("Contacts and requisites"),
        "privacy": _("Privacy"),
        "consent": _("Consent to the processing of personal data"),
    }[name]


def short_title_of(name: str) -> str:
    """As it stands in a row of links."""
    short = {"offer": _("Terms"), "contacts": _("Contacts"), "privacy": _("Personal data")}
    return short.get(name) or title_of(name)


def make_document(name: str, recipient: Recipient) -> Document:
    """One of NAMES, of a recipient whose requisites are complete; or "consent", of any."""
    if name == "consent":
        return Document(name, title_of(name), _consent(recipient))
    requisites = recipient.requisites
    assert requisites is not None
    make = {"offer": _offer, "refunds": _refunds, "contacts": _contacts, "privacy": _privacy}[name]
    return Document(name, title_of(name), make(recipient, requisites))


@lru_cache(maxsize=1000)
def write_terms(recipient: Recipient, consent_version: str, locale: str) -> str:
    """All that a donor of this language agrees to, as it is kept: JSON, the same bytes for the same words."""
    is_complete = recipient.requisites is not None and recipient.requisites.is_complete
    with use_locale(locale):
        documents = [make_document(name, recipient) for name in (*(NAMES if is_complete else ()), "consent")]
    bundle = {
        "locale": locale,
        "consent_version": consent_version,
        "documents": [asdict(document) for document in documents],
    }
    return json.dumps(bundle, ensure_ascii=False, sort_keys=True)


def read_terms(text: str) -> tuple[str, tuple[Document, ...]]:
    """The language and the documents of what `write_terms` once made."""
    bundle = json.loads(text)
    documents = tuple(
        Document(
            found["name"],
            found["title"],
            tuple(Section(section["heading"], tuple(section["paragraphs"])) for section in found["sections"]),
        )
        for found in bundle["documents"]
    )
    return bundle["locale"], documents


# The words.


def _offer(recipient: Recipient, requisites: Requisites) -> tuple[Section, ...]:
    return (
        Section(
            _("What this is"),
            (
                _(
                    "%(name)s (below: the recipient) accepts voluntary support on the page %(url)s. Whoever sends "
                    "money "
                    "there (below: the donor) accepts these terms by doing so.",
                    name=requisites.full_name,
                    url=recipient.page_url,
                ),
            ),
        ),
        Section(
            _("Of one's own will, and for nothing in return"),
            (
                _(
                    "Support is a gift. The donor decides freely whether to give, how much and when. Nothing is handed "
                    "over, done or promised in return."
                ),
                _(
                    "The name and the message that come with it may appear on the broadcast. Whether and how they "
                    "appear "
                    "is up to the recipient: a text may be shortened, held back or left out."
                ),
            ),
        ),
        Section(_("What the money is for"), (requisites.purpose,)),
        Section(
            _("How the money is sent"),
            (
                _(
                    "The donor chooses the amount within the limits shown on the page and pays on the page of the "
                    "recipient's bank or payment provider. The money goes straight to the recipient's account; card "
                    "details never reach this site."
                ),
                _(
                    "Only the owner of the card or account pays, or somebody with the owner's consent. Children pay "
                    "only "
                    "with their parents' consent."
                ),
            ),
        ),
        Section(
            _("The donor's words"),
            (
                _(
                    "The donor answers for the name and the message: no insults, threats, calls to break the law, "
                    "other "
                    "people's personal data or advertising."
                ),
            ),
        ),
        Section(title_of("refunds"), _refund_rule(requisites)),
        Section(
            _("Personal data"),
            (_("Consent to the processing of personal data is given separately, by a box with words of its own."),),
        ),
        Section(
            _("When the terms change"),
            (
                _(
                    "New terms are for new support only. The words that were agreed to are kept with each donation and "
                    "can be read on its page."
                ),
            ),
        ),
        Section(_("The recipient"), _identity(requisites)),
    )


def _refund_rule(requisites: Requisites) -> tuple[str, ...]:
    answered = ngettext(
        "A request is answered within %(num)s day.",
        "A request is answered within %(num)s days.",
        requisites.refund_days,
    )
    if requisites.refund_rule is RefundRule.REQUEST:
        return (_("Whoever changes their mind gets the money back on request, without giving a reason."), answered)
    return (
        _(
            "Support is voluntary, so a change of mind alone is no reason for a refund. The money goes back when it "
            "was "
            "sent by mistake: twice or in another amount, with somebody else's card, or by a child without the parents "
            "knowing; and whenever the law says so."
        ),
        answered,
    )


def _refunds(recipient: Recipient, requisites: Requisites) -> tuple[Section, ...]:
    return (
        Section(_("When money is returned"), _refund_rule(requisites)),
        Section(
            _("How to ask"),
            (
                _(
                    "Write to %(email)s: the day and the amount of the donation and, if you have it, the address of "
                    "its "
                    "page (it begins with %(url)s/d/).",
                    email=requisites.email,
                    url=recipient.site_url,
                ),
                _("Never send a whole card number or a code from a message: nobody needs them for a refund."),
            ),
        ),
        Section(
            _("How the money goes back"),
            (
                _(
                    "The same way it was paid, to the same card or account. When it arrives depends on the bank. A "
                    "part "
                    "can be returned, too."
                ),
            ),
        ),
    )


def _contacts(recipient: Recipient, requisites: Requisites) -> tuple[Section, ...]:
    return (
        Section(_("Who receives the support"), _identity(requisites)),
        Section(_("Page"), (recipient.page_url,)),
        Section(
            _("Questions"),
            (_("About a donation, a refund or personal data, write to %(email)s.", email=requisites.email),),
        ),
    )


def _privacy(recipient: Recipient, requisites: Requisites) -> tuple[Section, ...]:
    return (
        Section(
            _("Who processes the data"),
            (
                _(
                    "%(name)s, the recipient of the support, and the owner of the site %(site)s, who acts for the "
                    "recipient.",
                    name=requisites.full_name,
                    site=recipient.site_url,
                ),
            ),
        ),
        Section(_("Which data"), (_which_data(),)),
        Section(_("What for"), (_what_for(),)),
        Section(
            _("Who gets them"),
            (
                _(
                    "The viewers of the broadcast see the name, the message and the amount. The bank or payment "
                    "provider "
                    "gets what the payment and the receipt need. Nobody else gets anything unless the law demands it."
                ),
            ),
        ),
        Section(
            _("For how long"),
            (_how_long(), _("What this site deletes by itself, and when: %(url)s.", url=f"{recipient.site_url}/kept")),
        ),
        Section(
            _("What stays in the browser"),
            (
                _(
                    "One cookie remembers the language. The name and the amount of the last donation are remembered on "
                    "the device itself. There is no advertising and no counter of others on the page."
                ),
            ),
        ),
        Section(
            _("Your rights"),
            (
                _(
                    "You may ask what is kept about you, have it corrected or deleted, and withdraw your consent: "
                    "write "
                    "to %(email)s.",
                    email=requisites.email,
                ),
            ),
        ),
    )


def _consent(recipient: Recipient) -> tuple[Section, ...]:
    """Other words need another CONSENT_VERSION (`web/donate_form.py`)."""
    agreed = _(
        "By ticking the box on the donation page I consent, of my own free will, to the processing of the data I enter "
        "there by the recipient of the donation, %(name)s, and by the owner of this site, who acts for the recipient.",
        name=recipient.display_name,
    )
    sections = (
        Section("", (agreed,)),
        Section(_("Which data"), (_which_data(),)),
        Section(_("What for"), (_what_for(),)),
        Section(
            _("What is done with them"),
            (
                _(
                    "They are recorded, stored, checked by filters and moderators, shown on the broadcast, passed to "
                    "the "
                    "bank (and with a receipt to its operator) as far as the payment needs it, and deleted. The e-mail "
                    "address is never shown on the broadcast. A broadcast is open to everyone: write nothing there "
                    "that "
                    "you want to keep private."
                ),
            ),
        ),
        Section(_("For how long"), (_how_long(),)),
    )
    requisites = recipient.requisites
    if requisites is None or not requisites.is_complete:
        return sections
    return (*sections, Section(_("The recipient"), _identity(requisites)))


def _which_data() -> str:
    return _(
        "The name or nickname, the message, the amount and the time of the donation, the network address the form came "
        "from, and, if the form asks for it, the e-mail address for the receipt. Card details are entered on the "
        "bank's "
        "page only and never reach this site."
    )


def _what_for() -> str:
    return _(
        "To take the payment, show the name and the message on the broadcast and in the recipient's statistics, return "
        "money when needed, send the receipt if the law asks for one, and keep the payment records the law asks for. "
        "The "
        "data are not used for advertising and not sold."
    )


def _how_long() -> str:
    return _(
        "Until the purpose is reached or this consent is withdrawn. To withdraw it, write to the recipient: the name "
        "and "
        "the message will be removed; payment records are kept as long as the law requires."
    )


def _identity(requisites: Requisites) -> tuple[str, ...]:
    name = {
        Kind.NPD: _("%(name)s, self-employed (payer of the tax on professional income)", name=requisites.full_name),
        Kind.ENTREPRENEUR: _("Individual entrepreneur %(name)s", name=requisites.full_name),
        Kind.COMPANY: requisites.full_name,
    }[requisites.kind]
    ogrn_name = _("OGRN") if requisites.kind is Kind.COMPANY else _("OGRNIP")
    lines = [
        (_("INN"), requisites.inn),
        (ogrn_name, requisites.ogrn),
        (_("Address for letters"), requisites.postal_address),
        (_("E-mail"), requisites.email),
        (_("Phone"), requisites.phone),
    ]
    return (name, *(f"{label}: {value}" for label, value in lines if value))
