"""Sounds for tests, made on the spot."""

import io
import math
import struct
import wave
from typing import Any, cast

import av
from av.container import InputContainer


def wav(seconds: float, *, rate: int = 8_000, frequency: float = 440.0) -> bytes:
    """A sine, 16 bits, mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(
            b"".join(
                struct.pack("<h", round(20_000 * math.sin(2 * math.pi * frequency * step / rate)))
                for step in range(round(seconds * rate))
            )
        )
    return file.getvalue()


def encoded(
    seconds: float, container: str, codec: str, *, title: str = "", options: dict[str, str] | None = None
) -> bytes:
    """The same sine as another format: `encoded(1, "mp3", "libmp3lame")`."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(wav(seconds, rate=48_000)), format="wav") as source,
        av.open(file, "w", format=container, options=options or {}) as target,
    ):
        if title:
            target.metadata["title"] = title
        stream: Any = target.add_stream(codec, rate=48_000)
        for frame in cast(InputContainer, source).decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()
