"""Streamers: names in addresses, time zones, and who may manage whom."""

from typing import Any

import asyncpg
import pytest

from domain import streamers
from domain.errors import InvalidInputError, NotFoundError
from domain.users import User, create_user


async def make_user(connection: Any, email: str = "anna@example.org", *, is_superuser: bool = False) -> User:
    return await create_user(connection, email, "correct horse battery", is_superuser=is_superuser)


class TestRules:
    @pytest.mark.parametrize("slug", ["a", "anna", "anna-plays", "anna_2", "0x", "a" * 40])
    def test_a_good_name(self, slug: str) -> None:
        assert streamers.clean_slug(slug) == slug

    def test_capitals_become_small(self) -> None:
        assert streamers.clean_slug(" Anna ") == "anna"

    @pytest.mark.parametrize(
        "slug", ["", "-anna", "anna-", "an na", "анна", "anna/", "a" * 41, "a\nb", "a\x00b", "..", "%2e"]
    )
    def test_a_malformed_name_is_refused(self, slug: str) -> None:
        with pytest.raises(InvalidInputError, match="malformed"):
            streamers.clean_slug(slug)

    @pytest.mark.parametrize("slug", ["admin", "API", "sign-in", "donate", "streamcash"])
    def test_names_of_our_own_addresses_are_reserved(self, slug: str) -> None:
        with pytest.raises(InvalidInputError, match="reserved"):
            streamers.clean_slug(slug)

    @pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x07b", "\u202eевил"])
    def test_a_name_that_cannot_be_shown_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidInputError) as refused:
            streamers.clean_display_name(name)
        assert refused.value.field == "display_name"

    @pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "Europe", "a\x00b"])
    def test_an_unknown_time_zone_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidInputError, match="unknown"):
            streamers.check_time_zone(name)


class TestStreamers:
    async def test_a_streamer_is_found_by_name_id_and_owner(self, connection: Any) -> None:
        anna = await make_user(connection)
        made = await streamers.create_streamer(connection, anna.id, "Anna", "  Анна   играет ", "Asia/Omsk")
        assert (made.slug, made.display_name, made.time_zone) == ("anna", "Анна играет", "Asia/Omsk")
        assert made.preset_amounts_minor == (10_000, 30_000, 50_000, 100_000)
        assert await streamers.get_by_slug(connection, "anna") == made
        assert await streamers.get_streamer(connection, made.id) == made
        assert await streamers.find_by_owner(connection, anna.id) == made

    @pytest.mark.parametrize("slug", ["nobody", "Anna", "a\x00", "x" * 1000, "анна"])
    async def test_an_unknown_name_is_not_found(self, connection: Any, slug: str) -> None:
        with pytest.raises(NotFoundError):
            await streamers.get_by_slug(connection, slug)

    async def test_a_taken_name_is_refused(self, connection: Any) -> None:
        anna, boris = await make_user(connection), await make_user(connection, "boris@example.org")
        await streamers.create_streamer(connection, anna.id, "anna", "Анна")
        with pytest.raises(InvalidInputError, match="taken"):
            await streamers.create_streamer(connection, boris.id, "ANNA", "Борис")

    async def test_a_second_page_of_one_owner_is_refused(self, connection: Any) -> None:
        anna = await make_user(connection)
        await streamers.create_streamer(connection, anna.id, "anna", "Анна")
        with pytest.raises(InvalidInputError, match="has_streamer"):
            await streamers.create_streamer(connection, anna.id, "anna2", "Анна")

    @pytest.mark.parametrize("slug", ["Anna", "-", "a b", "", "x" * 41])
    async def test_the_database_refuses_a_malformed_name_too(self, connection: Any, slug: str) -> None:
        anna = await make_user(connection)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(
                "INSERT INTO streamers (owner_id, slug, display_name) VALUES ($1, $2, 'Анна')", anna.id, slug
            )

    async def test_the_owner_and_superusers_may_manage_a_stranger_may_not(self, connection: Any) -> None:
        anna, boris = await make_user(connection), await make_user(connection, "boris@example.org")
        root = await make_user(connection, "root@example.org", is_superuser=True)
        page = await streamers.create_streamer(connection, anna.id, "anna", "Анна")
        assert streamers.may_manage(anna, page)
        assert streamers.may_manage(root, page)
        assert not streamers.may_manage(boris, page)
