from domain.tokens import hash_token, new_token


def test_each_token_is_another_with_a_hash_of_its_own() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == len({hash_token(token) for token in tokens}) == 100
    assert {len(token) for token in tokens} == {43}


def test_whatever_somebody_shows_has_a_hash() -> None:
    for text in ("", "\x00", "ю", "\ud800", "x" * 100_000):
        assert len(hash_token(text)) == 32
