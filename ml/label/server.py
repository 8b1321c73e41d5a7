"""The labelling page and its HTTP interface, for one person on one machine. Standard library only.

Every address but the page's own files needs the token that the printed address carries, and a Host header that no
foreign site can bring about by pointing its own name at this machine.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np

from ml.data.frames import Picture, frame_at, read_image
from ml.errors import OutputUnwritable, ToonemoError, UserError
from ml.label.regions import EMOTION_NAMES, LabelRefused, read_sent
from ml.label.store import Entry, LabelFile

PAGE = Path(__file__).parent / "page"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
FILES = {f"/{file.name}": file for file in PAGE.iterdir() if file.suffix in KINDS} | {"/": PAGE / "index.html"}
MOST_BODY = 4 << 20
CACHE_BYTES = 256 << 20
QUALITY = 92
MOST_DECODERS = 2
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Frames:
    """The pictures of a file of labels as JPEG, decoded when they are asked for and kept while there is room."""

    def __init__(self, labels: LabelFile) -> None:
        self.labels = labels
        self.lock = threading.Lock()
        self.decoders = threading.BoundedSemaphore(MOST_DECODERS)
        self.kept: OrderedDict[str, bytes] = OrderedDict()
        self.doing: dict[str, threading.Lock] = {}

    def jpeg(self, entry: Entry, width: int = 0) -> bytes:
        """``width``: of the answer, 0 for the picture's own. Raises the UserErrors of videos and pictures."""
        name = entry.key
        with self.lock:
            one_at_a_time = self.doing.setdefault(name, threading.Lock())
        with one_at_a_time:
            whole = self._get(name)
            if whole is None:
                with self.decoders:
                    picture = self._decode(entry)
                if 0 < width < entry.width:
                    self._keep(name, encode(picture))
                    return encode(shrink(picture, width))
                whole = encode(picture)
                self._keep(name, whole)
        if 0 < width < entry.width:
            return encode(shrink(decode(whole), width))
        return whole

    def measure(self, entry: Entry) -> None:
        """Fills in the size of the picture where it is not known yet."""
        if not (entry.width and entry.height):
            self.jpeg(entry)

    def _decode(self, entry: Entry) -> Picture:
        if entry.path is None:
            raise LabelRefused(f"The video or picture of {entry.filename} was not named when this was started.")
        picture = read_image(entry.path) if entry.pts_ms is None else frame_at(entry.path, entry.pts_ms)
        entry.height, entry.width = picture.shape[:2]
        return picture

    def _get(self, name: str) -> bytes | None:
        with self.lock:
            if name in self.kept:
                self.kept.move_to_end(name)
            return self.kept.get(name)

    def _keep(self, name: str, data: bytes) -> None:
        with self.lock:
            self.kept[name] = data
            while sum(map(len, self.kept.values())) > CACHE_BYTES and len(self.kept) > 1:
                self.kept.popitem(last=False)


def encode(picture: Picture) -> bytes:
    """JPEG."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise LabelRefused("The picture is too large to be shown.")
    return data.tobytes()


def decode(jpeg: bytes) -> Picture:
    """What ``encode`` made."""
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def shrink(picture: Picture, width: int) -> Picture:
    """To that width, where it is wider."""
    if picture.shape[1] <= width:
        return picture
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


class LabelServer(ThreadingHTTPServer):
    """``characters``: names that the page offers first."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], labels: LabelFile, characters: tuple[str, ...] = ()) -> None:
        self.labels, self.characters = labels, characters
        self.frames = Frames(labels)
        self.shown = [entry for entry in labels.entries if entry.path is not None]
        self.host = address[0]
        super().__init__(address, Handler)

    def allows_host(self, header: str) -> bool:
        """The name by which this was bound, or this machine as such; never a name that a foreign site can set."""
        name = re.sub(r":\d*$", "", header.strip()).strip("[]").lower()
        if name in ("localhost", self.host.lower()):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not _is_loopback(self.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Refusal(Exception):
    """An answer that is not the one asked for."""

    def __init__(self, status: HTTPStatus, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


class Handler(BaseHTTPRequestHandler):
    server: LabelServer
    protocol_version = "HTTP/1.1"
    server_version = "ToonEmo"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_PUT(self) -> None:
        self._answer(self._put)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests carry the token, and a person needs no list of them."""

    def _answer(self, what: Callable[[str, dict[str, str]], None]) -> None:
        try:
            parts = urlsplit(self.path)
            asked = {k: v[-1] for k, v in parse_qs(parts.query).items()}
            if not self.server.allows_host(self.headers.get("Host", "")):
                raise Refusal(HTTPStatus.FORBIDDEN, "host_refused", "This page is not served under that name.")
            what(parts.path, asked)
        except Refusal as refusal:
            self._json({"error": str(refusal), "code": refusal.code}, refusal.status)
        except OutputUnwritable as error:
            self._json({"error": str(error), "code": error.code}, HTTPStatus.INSUFFICIENT_STORAGE)
        except UserError as error:
            self._json({"error": str(error), "code": error.code}, HTTPStatus.BAD_REQUEST)
        except ToonemoError as error:
            self._json({"error": str(error), "code": error.code}, HTTPStatus.INTERNAL_SERVER_ERROR)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True

    def _get(self, path: str, asked: dict[str, str]) -> None:
        if path in FILES:
            self._send(FILES[path].read_bytes(), f"{KINDS[FILES[path].suffix]}; charset=utf-8")
            return
        self._check_token(asked)
        if path == "/api/frames":
            self._json(self._overview())
        elif match := re.fullmatch(r"/api/frames/(\d{1,9})\.jpg", path):
            width = asked.get("width", "0")
            if not re.fullmatch(r"\d{1,5}", width):
                raise Refusal(HTTPStatus.BAD_REQUEST, "invalid_request", "“width” is a number of pixels.")
            self._send(self.server.frames.jpeg(self._entry(match[1]), int(width)), "image/jpeg", keep=True)
        elif match := re.fullmatch(r"/api/frames/(\d{1,9})", path):
            self._json(self._one(int(match[1]), self._entry(match[1])))
        else:
            raise Refusal(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")

    def _put(self, path: str, asked: dict[str, str]) -> None:
        body = self._body()
        self._check_token(asked)
        match = re.fullmatch(r"/api/frames/(\d{1,9})", path)
        if match is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "not_found", "There is nothing to change at this address.")
        entry = self._entry(match[1])
        try:
            sent = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise LabelRefused(f"The request is no JSON: {error}.") from error
        if isinstance(sent, dict) and sent.pop("filename", entry.filename) != entry.filename:
            sentence = f"Frame {match[1]} is now “{entry.filename}”: other frames were chosen. Load the page anew."
            raise Refusal(HTTPStatus.CONFLICT, "frames_changed", sentence)
        self.server.frames.measure(entry)
        regions, done = read_sent(sent, entry.width, entry.height)
        self.server.labels.put(entry, regions, done)
        self._json(self._one(int(match[1]), entry))

    def _overview(self) -> dict[str, Any]:
        shown = self.server.shown
        used = {r.character for e in self.server.labels.entries for r in e.regions if r.character}
        first = self.server.characters
        return {
            "annotator": self.server.labels.annotator,
            "file": self.server.labels.path.name,
            "emotions": list(EMOTION_NAMES),
            "characters": [*first, *sorted(used - set(first))],
            "frames": [self._brief(i, entry) for i, entry in enumerate(shown)],
        }

    def _brief(self, index: int, entry: Entry) -> dict[str, Any]:
        return {
            "index": index,
            "filename": entry.filename,
            "video": entry.video or None,
            "pts_ms": entry.pts_ms,
            "shot": entry.shot,
            "done": entry.done,
            "faces": len(entry.raw),
        }

    def _one(self, index: int, entry: Entry) -> dict[str, Any]:
        self.server.frames.measure(entry)
        regions = [region.to_api() for region in entry.regions]
        return {**self._brief(index, entry), "width": entry.width, "height": entry.height, "regions": regions}

    def _entry(self, number: str) -> Entry:
        index = int(number)
        if index >= len(self.server.shown):
            raise Refusal(
                HTTPStatus.NOT_FOUND,
                "not_found",
                f"There is no frame {index}; they are counted from 0 to {len(self.server.shown) - 1}.",
            )
        return self.server.shown[index]

    def _check_token(self, asked: dict[str, str]) -> None:
        given = self.headers.get("X-Token") or asked.get("token", "")
        if not hmac.compare_digest(given.encode(), self.server.labels.token.encode()):
            sentence = "The token is missing or wrong; open the address that was printed when this was started."
            raise Refusal(HTTPStatus.FORBIDDEN, "token_refused", sentence)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"\d{1,12}", length) or int(length) > MOST_BODY:
            self.close_connection = True
            raise Refusal(HTTPStatus.BAD_REQUEST, "invalid_request", "The request has no length, or is too long.")
        return self.rfile.read(int(length))

    def _json(self, document: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(document).encode(), "application/json", status)

    def _send(self, data: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, *, keep: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "private, max-age=3600" if keep else "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(data)
