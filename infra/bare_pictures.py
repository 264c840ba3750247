"""A picture's file without whatever else it carries: comments, where it was taken, another file behind its end.

For animations, which are not encoded anew: that costs minutes, and colours. What is left is byte for byte the same.
The caller has decoded all of it; ValueError (or IndexError) says that it does not follow its format after all.
"""

import struct

_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"sRGB"}
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
_GIF_LOOPS = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")


def bare(content_type: str, raw: bytes) -> bytes:
    """Raises ValueError, IndexError or struct.error."""
    return {"image/gif": bare_gif, "image/png": bare_png, "image/webp": bare_webp}[content_type](raw)


def bare_gif(raw: bytes) -> bytes:
    """Frames, their delays and how often they are repeated; of GIF89a's appendix nothing else."""
    kept = bytearray()

    def take(start: int, end: int) -> int:
        if end > len(raw):
            raise ValueError("the GIF ends in the middle")
        kept.extend(raw[start:end])
        return end

    at = take(0, 13)
    at = take(at, at + _gif_colours(raw[10]))
    while at < len(raw) and raw[at] != 0x3B:
        if raw[at] == 0x2C:
            at = take(at, at + 10)
            at = take(at, at + _gif_colours(raw[at - 1]) + 1)
            at = take(at, _gif_blocks_end(raw, at))
        elif raw[at] == 0x21:
            end = _gif_blocks_end(raw, at + 2)
            is_kept = raw[at + 1] == 0xF9 or (raw[at + 1] == 0xFF and raw[at + 2 : at + 14] in _GIF_LOOPS)
            at = take(at, end) if is_kept else end
        else:
            raise ValueError("no block of a GIF")
    return bytes(kept) + b";"


def _gif_colours(flags: int) -> int:
    """Bytes of the table of colours that follows, if one does."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks_end(raw: bytes, at: int) -> int:
    """Behind a chain of blocks, each after its length, the last empty."""
    while raw[at]:
        at += raw[at] + 1
    return at + 1


def bare_png(raw: bytes) -> bytes:
    kept = bytearray(raw[:8])
    at = 8
    while at < len(raw):
        (length,) = struct.unpack_from(">I", raw, at)
        name, end = raw[at + 4 : at + 8], at + 12 + length
        if end > len(raw):
            raise ValueError("the PNG ends in the middle")
        if name in _PNG_KEPT:
            kept.extend(raw[at:end])
        if name == b"IEND":
            return bytes(kept)
        at = end
    raise ValueError("the PNG has no end")


def bare_webp(raw: bytes) -> bytes:
    (length,) = struct.unpack_from("<I", raw, 4)
    chunks = _bare_webp_chunks(raw[12 : 8 + length])
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _bare_webp_chunks(raw: bytes) -> bytes:
    kept = bytearray()
    at = 0
    while at + 8 <= len(raw):
        name = raw[at : at + 4]
        (length,) = struct.unpack_from("<I", raw, at + 4)
        body = raw[at + 8 : at + 8 + length]
        if len(body) < length:
            raise ValueError("the WebP ends in the middle")
        at += 8 + length + length % 2
        if name not in _WEBP_KEPT:
            continue
        if name == b"VP8X":
            # It announces colours (0x20), EXIF (0x08) and XMP (0x04), which are gone.
            body = bytes([body[0] & ~0x2C]) + body[1:]
        elif name == b"ANMF":
            body = body[:16] + _bare_webp_chunks(body[16:])
        kept += name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return bytes(kept)
