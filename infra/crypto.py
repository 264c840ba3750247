"""Secrets at rest, and keyed hashes."""

import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretBox:
    """Encrypts what must be shown or used again (terminal passwords, overlay tokens).

    Takes comma-separated Fernet keys, newest first: the first encrypts, each decrypts. Raises ValueError for a bad key.
    """

    def __init__(self, keys: str) -> None:
        parts = [key.strip() for key in keys.split(",") if key.strip()]
        if not parts:
            raise ValueError("SECRET_KEYS holds no key")
        fernets = [Fernet(key) for key in parts]
        self._keys = [key.encode() for key in parts]
        self._newest = fernets[0]
        self._fernet = MultiFernet(fernets)

    def encrypt(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Raises UndecryptableError when no key fits."""
        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken as error:
            raise UndecryptableError("none of SECRET_KEYS decrypts a stored secret") from error

    def try_decrypt(self, encrypted: str) -> str | None:
        """The same; None when no key fits."""
        try:
            return self.decrypt(encrypted)
        except UndecryptableError:
            return None

    def digests(self, text: str, purpose: str) -> tuple[bytes, ...]:
        """Keyed hashes of what could be guessed from a list, as addresses can: by each key, the newest first.

        One is stored; who looks for it compares with all, so that a hash lasts as long as its key is kept.
        """
        message = f"{purpose}:{text}".encode()
        return tuple(hmac.digest(key, message, "sha256") for key in self._keys)

    def has_newest_key(self, encrypted: str) -> bool:
        """Whether the key that encrypts now can read it: then the older keys are not needed for it."""
        try:
            self._newest.decrypt(encrypted.encode())
        except InvalidToken:
            return False
        return True


class UndecryptableError(Exception):
    pass
