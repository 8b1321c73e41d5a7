"""Which files may be opened as video, and what a refused one is, told from its first bytes. Pure; no decoder."""

from __future__ import annotations

from collections.abc import Callable

# FFmpeg's demuxers that hold moving pictures in one file and open no other file or address. Playlists (hls, dash,
# concat), pictures (image2, gif, webp), subtitles and devices are not among them, so FFmpeg cannot choose them.
FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "flv", "mpegts", "mpeg", "ogg", "asf")
CONTAINERS = "MP4, MOV, M4V, 3GP, Matroska, WebM, AVI, FLV, MPEG-TS, MPEG-PS, Ogg and ASF/WMV"

_PICTURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
    b"8BPS": "a Photoshop picture",
    b"\x00\x00\x01\x00": "an icon",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
}
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "a ZIP archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"\x80\x02": "a pickle",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"SQLite format 3": "a database",
    b"#EXTM3U": "a playlist, not the video itself",
    b"<?xml": "an XML text",
    b"ffconcat": "a playlist, not the video itself",
}
_SOUNDS = (b"ID3", b"fLaC", b"\xff\xf1", b"\xff\xf9", b"#!AMR", b"MThd", b"FORM")
_JPEG = (b"\xff\xd8\xff",)
_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"jxl ")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"sidx", b"pnot")
_VIDEO_STARTS = (
    b"\x1a\x45\xdf\xa3",
    b"FLV\x01",
    b"OggS",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"\x00\x00\x01\xba",
    b"\x00\x00\x01\xb3",
)


def looks_like_video(head: bytes) -> bool:
    """Whether the first bytes are those of a container of FORMATS: what then will not open is a damaged video."""
    if head[4:8] in _MP4_BOXES and head[8:12] not in _PICTURE_BRANDS:
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return True
    return head.startswith(_VIDEO_STARTS) or (len(head) > 376 and head[0] == head[188] == head[376] == 0x47)


def is_sound(head: bytes) -> bool:
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 and not head.startswith(_JPEG):
        return True  # the sync word of MPEG sound
    return head.startswith(_SOUNDS) or (head[:4] == b"RIFF" and head[8:12] == b"WAVE")


def refusal(head: bytes) -> str | None:
    """What a file that must not be opened is ("a PNG picture"), or None: it may be a video."""
    if looks_like_video(head) or is_sound(head):
        return None
    if head[4:8] == b"ftyp":
        return "a picture (HEIF or AVIF)"
    if head[:4] == b"RIFF":
        return "a WebP picture" if head[8:12] == b"WEBP" else "a RIFF file of another kind"
    for table in (_PICTURES, _OTHERS):
        for start, what in table.items():
            if head.startswith(start):
                return what
    return _text(head)


def _text(head: bytes) -> str | None:
    try:
        text = head[:512].decode("utf-8", "strict" if len(head) <= 512 else "ignore")
    except UnicodeDecodeError:
        return None
    if not text or any(ord(c) < 32 and c not in "\t\r\n\f\x1b" for c in text):
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html")):
        return "an HTML page"
    return "a text file"


def has_encrypted_video(read_at: Callable[[int, int], bytes], size: int) -> bool:
    """Whether an MP4's sample table says that its video is encrypted (``encv``); ``read_at(offset, length)``.

    FFmpeg opens such a file and may even hand out pictures made of its cipher text.
    """
    offset = 0
    for _ in range(10_000):
        head = read_at(offset, 16)
        if len(head) < 8:
            return False
        length, kind, start = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - offset
        if length < start:
            return False
        if kind == b"moov":
            table = read_at(offset + start, min(length - start, 64 << 20))
            return b"encv" in table and b"sinf" in table and b"schm" in table
        offset += length
    return False
