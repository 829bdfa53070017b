"""Earlier versions, compressed against the version that replaced them (Zstandard, RFC 8878)."""

import zstandard

LEVEL = 3
PREFIX = zstandard.DICT_TYPE_RAWCONTENT


def pack(content: str, against: str) -> bytes:
    """`content` in about as many bytes as it differs from `against`."""
    dictionary = zstandard.ZstdCompressionDict(against.encode(), dict_type=PREFIX)
    # the content size in the frame lets `unpack` allocate once, and bounds it
    compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_content_size=True)
    return compressor.compress(content.encode())


def unpack(packed: bytes, against: str) -> str:
    dictionary = zstandard.ZstdCompressionDict(against.encode(), dict_type=PREFIX)
    return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(packed).decode()


def pack_bytes(body: bytes) -> bytes:
    """A document as it was received, by itself."""
    return zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(body)


def unpack_bytes(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(packed)
