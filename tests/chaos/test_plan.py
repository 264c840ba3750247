"""A seed says all that will happen."""

from collections import Counter

from tests.chaos.plan import PROVIDERS, Act, Blow, Fate, make_plan


def test_the_same_seed_makes_the_same_plan() -> None:
    assert make_plan(7, payments=300, kills=40) == make_plan(7, payments=300, kills=40)
    assert make_plan(7, payments=300, kills=40) != make_plan(8, payments=300, kills=40)


def test_more_kills_leave_the_donors_as_they_were() -> None:
    few, many = make_plan(7, payments=300, kills=4), make_plan(7, payments=300, kills=400)
    assert few.donors == many.donors
    assert len(many.blows) == 400


def test_more_donors_leave_the_first_ones_as_they_were() -> None:
    few, many = make_plan(7, payments=60, kills=8), make_plan(7, payments=600, kills=8)
    assert few.donors == many.donors[:60]


def test_a_short_run_has_something_of_everything() -> None:
    plan = make_plan(1, payments=60, kills=8)
    for provider in PROVIDERS:
        assert {donor.act for donor in plan.donors if donor.provider == provider} == set(Act)
    assert {donor.fate for donor in plan.donors} == set(Fate)
    assert Counter(planned.blow for planned in plan.blows).total() == 8
    assert Blow.POSTGRES_KILL in {planned.blow for planned in plan.blows}


def test_a_long_run_hits_everything() -> None:
    plan = make_plan(1, payments=2000, kills=200)
    assert {planned.blow for planned in plan.blows} == set(Blow)
    assert [planned.after for planned in plan.blows] == sorted(planned.after for planned in plan.blows)
    assert max(planned.after for planned in plan.blows) < 2000


def test_what_goes_back_is_a_part_of_what_came() -> None:
    for donor in make_plan(3, payments=2000, kills=1).donors:
        assert donor.first_back_minor >= 100
        assert donor.second_back_minor >= 100
        assert donor.first_back_minor + donor.second_back_minor < donor.amount_minor
