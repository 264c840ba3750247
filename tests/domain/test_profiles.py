"""Names that stay a streamer's, pictures that are removed with their use, and the order of the featured."""

import asyncio
import hashlib
from typing import Any

import asyncpg
import pytest

from domain import media, profiles, streamers
from domain.errors import InvalidInputError
from domain.media import Picture
from domain.streamers import Streamer
from tests.builders import make_streamer


async def streamer(connection: Any, slug: str) -> Streamer:
    made = await make_streamer(connection, slug=slug)
    return await streamers.get_streamer(connection, made.id)


async def rename(connection: Any, who: Streamer, slug: str) -> Streamer:
    await streamers.change_slug(connection, who, await streamers.check_new_slug(connection, who, slug))
    return await streamers.get_streamer(connection, who.id)


class TestNames:
    async def test_the_old_name_goes_on_leading_to_her_and_nobody_else_gets_it(self, connection: Any) -> None:
        anna, boris = await streamer(connection, "anna"), await streamer(connection, "boris")
        anna = await rename(connection, anna, " Anna-2 ")
        assert anna.slug == "anna-2"
        assert await streamers.find_by_slug(connection, "anna") is None
        assert await streamers.find_by_any_slug(connection, "anna") == anna
        assert await streamers.list_former_slugs(connection, anna.id) == ["anna"]
        with pytest.raises(InvalidInputError, match="taken"):
            await streamers.check_new_slug(connection, boris, "anna")
        with pytest.raises(InvalidInputError, match="taken"):
            await streamers.create_streamer(connection, boris.owner_id, "anna", "Борис")

    async def test_she_may_go_back(self, connection: Any) -> None:
        anna = await rename(connection, await streamer(connection, "anna"), "anna-2")
        anna = await rename(connection, anna, "anna")
        assert await streamers.list_former_slugs(connection, anna.id) == ["anna-2"]

    async def test_names_are_not_collected(self, connection: Any) -> None:
        anna = await streamer(connection, "anna")
        for number in range(1, streamers.SLUGS_MAX):
            anna = await rename(connection, anna, f"anna-{number}")
        with pytest.raises(InvalidInputError, match="too_many"):
            await streamers.check_new_slug(connection, anna, "anna-more")
        assert (await rename(connection, anna, "anna")).slug == "anna"

    async def test_a_reserved_name_only_stays_with_who_has_it(self, connection: Any) -> None:
        anna = await streamer(connection, "admin")
        assert await streamers.check_new_slug(connection, anna, "admin") == "admin"
        with pytest.raises(InvalidInputError, match="reserved"):
            await streamers.check_new_slug(connection, anna, "support")

    async def test_the_database_keeps_a_left_name_from_others(self, connection: Any) -> None:
        await rename(connection, await streamer(connection, "anna"), "anna-2")
        boris = await streamer(connection, "boris")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("UPDATE streamers SET slug = 'anna' WHERE id = $1", boris.id)

    async def test_two_at_once(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            both = [await streamer(connection, "anna"), await streamer(connection, "boris")]

        async def take(who: Streamer) -> bool:
            try:
                async with pool.acquire() as connection, connection.transaction():
                    await rename(connection, who, "wanted")
            except (InvalidInputError, asyncpg.UniqueViolationError):
                return False
            return True

        assert sorted(await asyncio.gather(*map(take, both))) == [False, True]


class TestPictures:
    async def test_what_is_replaced_or_removed_is_gone(self, connection: Any) -> None:
        anna = await streamer(connection, "anna")
        first = await media.set_picture(connection, anna.id, Picture.AVATAR, b"one")
        banner = await media.set_picture(connection, anna.id, Picture.BANNER, b"wide")
        second = await media.set_picture(connection, anna.id, Picture.AVATAR, b"two")
        look = await profiles.streamer_look(connection, anna.id)
        assert (look.avatar, look.banner) == (second, banner)
        assert await media.find_content(connection, bytes.fromhex(first)) is None
        await media.remove_picture(connection, anna.id, Picture.AVATAR)
        assert await media.find_content(connection, bytes.fromhex(second)) is None
        assert (await profiles.streamer_look(connection, anna.id)).avatar == ""
        assert await media.find_content(connection, bytes.fromhex(banner)) is not None

    async def test_the_same_picture_again_and_anothers_same_picture(self, connection: Any) -> None:
        anna, boris = await streamer(connection, "anna"), await streamer(connection, "boris")
        names = [
            await media.set_picture(connection, who.id, Picture.AVATAR, b"cat") for who in (anna, anna, boris, boris)
        ]
        assert set(names) == {hashlib.sha256(b"cat").hexdigest()}
        assert await connection.fetchval("SELECT count(*) FROM media") == 2
        await media.remove_picture(connection, anna.id, Picture.AVATAR)
        assert await media.find_content(connection, bytes.fromhex(names[0])) is not None

    async def test_nobody_shows_anothers_picture(self, connection: Any) -> None:
        anna, boris = await streamer(connection, "anna"), await streamer(connection, "boris")
        await media.set_picture(connection, anna.id, Picture.AVATAR, b"cat")
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute("UPDATE streamers SET avatar_id = (SELECT id FROM media) WHERE id = $1", boris.id)

    @pytest.mark.parametrize(
        ("column", "value"),
        [("accent", "red"), ("links", ["https://a.example"] * 9), ("thanks", "я" * 301)],
    )
    async def test_the_table_refuses_what_breaks_the_rules(self, connection: Any, column: str, value: Any) -> None:
        anna = await streamer(connection, "anna")
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"UPDATE streamers SET {column} = $1 WHERE id = $2", value, anna.id)


class TestFeatured:
    async def test_they_are_ordered_by_hand(self, connection: Any) -> None:
        anna, boris, vera = [await streamer(connection, slug) for slug in ("anna", "boris", "vera")]

        async def order() -> list[str]:
            return [row["slug"] for row in await profiles.list_featured(connection)]

        for who in (anna, boris, vera, boris):
            await profiles.feature(connection, who.id, is_featured=True)
        assert await order() == ["anna", "boris", "vera"]
        await profiles.move_featured(connection, vera.id, is_up=True)
        assert await order() == ["anna", "vera", "boris"]
        await profiles.move_featured(connection, anna.id, is_up=True)
        await profiles.move_featured(connection, boris.id, is_up=False)
        assert await order() == ["anna", "vera", "boris"]
        await profiles.feature(connection, anna.id, is_featured=False)
        await profiles.feature(connection, anna.id, is_featured=False)
        await profiles.move_featured(connection, anna.id, is_up=True)
        assert await order() == ["vera", "boris"]
