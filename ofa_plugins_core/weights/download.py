"""One address into one file: what an earlier try brought is kept, and the next one goes on.

Beside the part lies what its server called that content (``ETag``, else ``Last-Modified``); only
where the server still has the same is the rest asked for, otherwise everything anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    url2pathname,
)

from attrs import asdict, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.weights.cache import CHUNK, PART, STATE, discard, writing

TIMEOUT: Final = 30.0
"""Seconds without a byte."""
TRIES: Final = 5
"""Of one address, as long as each brings something."""
MOST: Final = 16 << 30
"""Bytes that are taken where the size is not known."""


class AddressError(Exception):
    """Why one address did not give the file; the next one may."""


class _DroppedError(Exception):
    """The connection ended early: what came is kept."""


class _ChangedError(Exception):
    """The server has another content by now: what came is of no use."""


@frozen
class Begun:
    """What is known of a part.

    Attributes:
        address: from which it comes.
        validator: what the server calls this content; None where it gave no name to it.
        total: bytes of the whole, where known.
    """

    address: str
    validator: str | None = None
    total: int | None = None


def download(
    address: str,
    part: Path,
    *,
    size: int | None = None,
    checked: bool = False,
    listener: Listener = silent,
) -> None:
    """Bring the content of an address into a part, all of it.

    Args:
        address: http, https or file.
        part: file to fill; it goes on from what it holds, if that is of the same content.
        size: bytes that the file has, where known.
        checked: the hash is known, so that a part of another content would be found out.
        listener: takes progress, in bytes.

    Raises:
        AddressError: it does not give the file; says why.
        InputError: the part cannot be written.
    """
    if urlsplit(address).scheme == "file":
        _copy(address, part, size, listener)
        return
    for number in range(TRIES):
        before = _length(part)
        try:
            _ask(address, part, size, checked, listener)
            return
        except _ChangedError:
            discard(part, _state(part))
        except _DroppedError as error:
            if number == TRIES - 1 or _length(part) <= before:
                raise AddressError(f"{error}, {_length(part):,} bytes are kept") from error


def _copy(address: str, part: Path, size: int | None, listener: Listener) -> None:
    found = urlsplit(address)
    if found.netloc not in ("", "localhost"):
        raise AddressError("a file address names a file on this machine")
    path = Path(url2pathname(found.path))
    try:
        with path.open("rb") as file:
            total = path.stat().st_size
            _check_size(total, size)
            _fill(part, 0, iter(lambda: file.read(CHUNK), b""), total, size, listener)
    except OSError as error:
        raise AddressError(error.strerror or str(error)) from error


def _ask(address: str, part: Path, size: int | None, checked: bool, listener: Listener) -> None:
    """One request; asks for what is missing, takes whatever the server has to give."""
    begun = _begun(part, address, checked)
    if begun is not None and checked and begun.total == _length(part):
        return  # it came whole, and nobody had time to check it
    with _answer(address, part, begun) as answer:
        _refuse_pages(answer)
        now = Begun(address, _validator(answer), _total(answer))
        offset = _offset(answer, begun, now, part)
        _check_size(now.total, size)
        with writing(part):
            part.parent.mkdir(parents=True, exist_ok=True)
        runs.write(_state(part), json.dumps(asdict(now)))
        done = _fill(part, offset, _pieces(answer), now.total, size, listener)
    due = size if now.total is None else now.total  # what was published, where no server says
    if due is not None and done < due:
        raise _DroppedError(f"the connection ended at {done:,} of {due:,} bytes")


def _begun(part: Path, address: str, checked: bool) -> Begun | None:
    """What the part is of, if the rest can be asked for."""
    try:
        begun = Begun(**json.loads(_state(part).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    same = begun.address == address and (checked or begun.validator is not None)
    return begun if same and _length(part) else None


def _state(part: Path) -> Path:
    return part.with_name(part.name.removesuffix(PART) + STATE)


def _length(part: Path) -> int:
    try:
        return part.stat().st_size
    except OSError:
        return 0


def _answer(address: str, part: Path, begun: Begun | None) -> HTTPResponse:
    headers = {"User-Agent": "ofa-plugins", "Accept-Encoding": "identity"}
    if begun is not None:
        headers["Range"] = f"bytes={_length(part)}-"
        if begun.validator is not None:
            headers["If-Range"] = begun.validator
    try:
        answer: HTTPResponse = _opener().open(Request(address, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 416 and begun is not None:  # the file is shorter now than our part
            discard(_state(part))
            return _answer(address, part, None)
        raise AddressError(f"{error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise AddressError(_why(error)) from error
    return answer


def _opener() -> OpenerDirector:
    """Opens http and https alone: a redirection leads to no file and no ftp."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _Redirections(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


class _Redirections(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any,
                         newurl: str) -> Request | None:  # fmt: skip
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise URLError("it redirects from https to an open connection")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _why(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no answer for {TIMEOUT:g} s"
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(str(text).split())


def _refuse_pages(answer: HTTPResponse) -> None:
    if answer.headers.get_content_type() in ("text/html", "application/xhtml+xml"):
        raise AddressError("it answers with a web page, not with the file")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise AddressError("it answers with a compressed file, which was not asked for")


def _validator(answer: HTTPResponse) -> str | None:
    """A name for exactly this content; a weak ETag is none."""
    tag: str = answer.headers.get("ETag") or ""
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified")


def _total(answer: HTTPResponse) -> int | None:
    """Bytes of the whole file, where the server says."""
    if answer.status == 206:
        found = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
        return int(found[1]) if found else None
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _offset(answer: HTTPResponse, begun: Begun | None, now: Begun, part: Path) -> int:
    """Where in the part the answer belongs: at its end, or at its start."""
    if answer.status != 206 or begun is None:
        return 0
    length = _length(part)
    if not answer.headers.get("Content-Range", "").startswith(f"bytes {length}-"):
        raise AddressError(f"asked for the bytes from {length:,} on, it sends others")
    if (begun.validator, begun.total) != (now.validator, now.total):
        raise _ChangedError
    return length


def _check_size(total: int | None, size: int | None) -> None:
    if None not in (total, size) and total != size:
        raise AddressError(f"the file there has {total:,} bytes, the published one {size:,}")


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            content = answer.read1(CHUNK)
        except (HTTPException, OSError) as error:
            raise _DroppedError(f"the connection was lost ({_why(error)})") from error
        if not content:
            return
        yield content


def _fill(
    part: Path,
    offset: int,
    pieces: Iterator[bytes],
    total: int | None,
    size: int | None,
    listener: Listener,
) -> int:
    """Write pieces into the part from an offset on; the length that it has then."""
    most = total if total is not None else size if size is not None else MOST
    file = _opened(part, offset)
    with file:
        done = offset
        for content in pieces:
            done += len(content)
            if done > most:
                raise AddressError(f"it sends more than {most:,} bytes")
            with writing(part):
                file.write(content)
            what = f"fetch {part.name.removesuffix(PART)}"
            listener(Progress(what, done, total or size or 0, "bytes"))
        with writing(part):
            file.flush()
    return done


def _opened(part: Path, offset: int) -> IO[bytes]:
    with writing(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("r+b" if part.exists() else "w+b")
        file.truncate(offset)
        file.seek(offset)
    return file
