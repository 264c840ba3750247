"""What a run tells: faults and blows on one side, what came of the money and the alerts on the other."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.bank import BankPayment
from tests.chaos.books import Books
from tests.chaos.browsers import Journal
from tests.chaos.plan import PROVIDERS, Plan
from tests.chaos.verdict import TAKEN


@dataclass(frozen=True)
class Report:
    """`problems` is empty when every promise was kept."""

    plan: Plan
    struck: Mapping[str, Mapping[str, int]]
    blows: Mapping[str, int]
    fallen: Mapping[str, int]
    ends: Mapping[str, int]
    bank: Sequence[BankPayment]
    books: Books
    journals: Mapping[str, Journal]
    took_seconds: float
    quiet_seconds: float
    problems: Sequence[str]

    def text(self) -> str:
        """The table."""
        sections = [
            ("What the banks did wrong (the simulator's own count)", _faults(self.struck)),
            ("Killed, restarted, cut", [*self.blows.items(), ("all together", sum(self.blows.values()))]),
            ("Programs that ended by themselves and were started again", self.fallen.items()),
            ("Donors", self._donors()),
            ("Money", self._money()),
            ("Alerts", self._alerts()),
        ]
        lines = [
            f"Seed {self.plan.seed}: {self.took_seconds:.0f} s, of which {self.quiet_seconds:.0f} s until all was quiet"
        ]
        for title, rows in sections:
            lines += ["", title, *(f"  {name:58} {count:>14}" for name, count in rows)]
        verdict = "Nothing was lost, nothing was counted twice, everything was shown once."
        lines += ["", *([f"NOT WELL: {problem}" for problem in self.problems] or [verdict])]
        return "\n".join(lines)

    def _donors(self) -> Iterable[tuple[str, int]]:
        yield from Counter(f"{donor.act}" for donor in self.plan.donors).items()
        yield from ((f"… who {name}", count) for name, count in self.ends.items())

    def _money(self) -> Iterable[tuple[str, object]]:
        for provider in PROVIDERS:
            theirs = [payment for payment in self.bank if payment.provider == provider]
            ours = [payment for payment in self.books.payments if payment.provider == provider]
            taken = [payment for payment in theirs if payment.is_taken]
            yield f"{provider}: payments at the bank", len(theirs)
            yield (
                f"{provider}: … that we have no id of (called off, never paid)",
                len(theirs) - sum(payment.provider_payment_id is not None for payment in ours),
            )
            yield f"{provider}: payments with us", len(ours)
            yield f"{provider}: taken at the bank", len(taken)
            yield f"{provider}: … booked with us", sum(payment.status in TAKEN for payment in ours)
            yield f"{provider}: … as a donation", sum(payment.booked_as == "donation" for payment in ours)
            yield f"{provider}: … as surplus", sum(payment.booked_as == "surplus" for payment in ours)
            yield f"{provider}: given back, wholly or in part", sum(payment.returned_minor > 0 for payment in taken)
            left_minor = sum(payment.amount_minor - payment.returned_minor for payment in taken)
            yield f"{provider}: kopecks at the bank", left_minor
            yield f"{provider}: kopecks in the ledger", sum(payment.clearing_minor for payment in ours)
        for status, count in self.books.refunds.items():
            yield f"refunds the streamers wished: {status}", count

    def _alerts(self) -> Iterable[tuple[str, int]]:
        for status, count in Counter(alert.status for alert in self.books.alerts).items():
            yield f"alerts {status}", count
        journals = self.journals.values()
        yield "readable on an overlay", sum(len(journal.seen) for journal in journals)
        yield "left the screen before they were readable, shown again", sum(journal.cut.total() for journal in journals)
        yield "overtaken by a later one while both were booked", sum(_count_overtaken(self, name) for name in PROVIDERS)
        counts: Counter[str] = sum((journal.counts for journal in journals), Counter())
        yield from counts.items()


def _faults(struck: Mapping[str, Mapping[str, int]]) -> Iterable[tuple[str, int]]:
    for method, kinds in struck.items():
        for kind, times in kinds.items():
            yield f"{method}: {kind}", times
    yield "all together", sum(times for kinds in struck.values() for times in kinds.values())


def _count_overtaken(report: Report, provider: str) -> int:
    places = {alert.donation_id: alert.place for alert in report.books.alerts}
    latest = count = 0
    for sight in report.journals[provider].seen:
        place = places.get(sight.donation_id, latest)
        count += place < latest
        latest = max(latest, place)
    return count
