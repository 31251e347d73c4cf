"""Fetch: the only step of a build that touches a network. Parallel, resumable, verified."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import httpx

from builder.console import Meter, size, step
from builder.errors import FetchError
from builder.inputs.lock import DebianPackage, Wheel
from builder.inputs.mirrors import DebianMirrors, wheel_index
from builder.inputs.store import Store, sha256_of

_PARALLEL = 8
_TRIES = 5
_TIMEOUT = httpx.Timeout(60.0, connect=30.0)

Input = DebianPackage | Wheel


@dataclass
class Gone(Exception):
    """Inputs that the mirror no longer has (404 or 410): the lock has aged."""

    items: list[Input] = field(default_factory=list)


def missing(store: Store, inputs: Sequence[Input]) -> list[Input]:
    """Inputs that are not in the store yet, each content once."""
    unique = {item.sha256: item for item in inputs}
    return [item for item in unique.values() if not store.has(item.sha256, item.size)]


def fetch(
    store: Store, inputs: Sequence[Input], mirrors: Callable[[], DebianMirrors], *, index: str | None = None
) -> int:
    """Bring every input into the store; returns the bytes that had to be downloaded. `index`: the profile's.

    Raises Gone with what the mirror no longer has, FetchError for a wrong hash (naming file and
    both hashes) or an unreachable mirror. What was downloaded before an error stays.
    """
    wanted = missing(store, inputs)
    if not wanted:
        return 0
    (store.root / "partial").mkdir(parents=True, exist_ok=True)
    total = sum(item.size for item in wanted)
    with step(f"fetch {len(wanted)} files, {size(total)}", bytes_=True) as meter:
        try:
            asyncio.run(_Fetcher(store, mirrors, index, meter, total).all(wanted))
        except BaseExceptionGroup as group:
            first = next((error for error in _flat(group) if isinstance(error, FetchError)), group)
            raise first from None
    return total


def _flat(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error


class _Fetcher:
    def __init__(
        self, store: Store, mirrors: Callable[[], DebianMirrors], index: str | None, meter: Meter, total: int
    ) -> None:
        self._store = store
        self._mirrors = mirrors
        self._index = index
        self._meter = meter
        self._total = total
        self._done = 0
        self._gone: list[Input] = []
        self._wheel_pages: dict[str, asyncio.Task[dict[str, str]]] = {}

    async def all(self, wanted: list[Input]) -> None:
        # OpenSSL's default locations: certificates that the machine's owner added count here too.
        context = ssl.create_default_context()
        limits = httpx.Limits(max_connections=_PARALLEL)
        slots = asyncio.Semaphore(_PARALLEL)
        async with httpx.AsyncClient(verify=context, timeout=_TIMEOUT, limits=limits, follow_redirects=True) as client:

            async def one(item: Input) -> None:
                async with slots:
                    await self._one(client, item)

            # Large files first: the last seconds are not spent on one slow stream.
            ordered = sorted(wanted, key=lambda item: -item.size)
            async with asyncio.TaskGroup() as group:
                for item in ordered:
                    group.create_task(one(item))
        if self._gone:
            raise Gone(self._gone)

    async def _one(self, client: httpx.AsyncClient, item: Input) -> None:
        partial = self._store.partial(item.sha256)
        for attempt in range(1, _TRIES + 1):
            try:
                address = await self._address(client, item)
                if address is None or not await self._download(client, address, item, partial):
                    self._gone.append(item)
                    return
                break
            except httpx.HTTPError as error:
                if attempt == _TRIES:
                    raise FetchError(
                        f"{item.file_name}: {type(error).__name__}: {error}",
                        hint="check the network and the mirror, then run again: it goes on where it stopped",
                    ) from None
                await asyncio.sleep(2.0**attempt / 2)
        self._check(item, partial)
        self._store.commit(partial, item.sha256)

    async def _address(self, client: httpx.AsyncClient, item: Input) -> str | None:
        if isinstance(item, DebianPackage):
            return f"{self._mirrors().base(item.archive)}/{item.path}"
        page = self._wheel_pages.get(item.project)
        if page is None:
            page = asyncio.ensure_future(_wheel_addresses(client, wheel_index(self._index), item.project))
            self._wheel_pages[item.project] = page
        return (await page).get(item.file_name)

    async def _download(self, client: httpx.AsyncClient, address: str, item: Input, partial: Path) -> bool:
        """Download into `partial`, from where it ends. False if the mirror does not have it."""
        if not address.startswith(("http://", "https://")):
            return _copy_local(address, partial)
        have = partial.stat().st_size if partial.exists() else 0
        if have >= item.size:
            partial.unlink(missing_ok=True)
            have = 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        async with client.stream("GET", address, headers=headers) as answer:
            if answer.status_code in (404, 410):
                return False
            answer.raise_for_status()
            resumed = answer.status_code == 206
            with partial.open("ab" if resumed else "wb") as sink:
                self._count(have if resumed else 0)
                async for chunk in answer.aiter_raw(1 << 18):
                    sink.write(chunk)
                    self._count(len(chunk))
        return True

    def _count(self, more: int) -> None:
        self._done += more
        self._meter(min(self._done, self._total), self._total)

    def _check(self, item: Input, partial: Path) -> None:
        got = sha256_of(partial)
        if got == item.sha256:
            return
        length = partial.stat().st_size
        partial.unlink()
        raise FetchError(
            f"{item.file_name} is not what the lock says ({length} bytes, {item.size} expected)\n"
            f"  locked  {item.sha256}\n  fetched {got}",
            hint="the mirror or a proxy altered it, or the lock is wrong: try another mirror, or lock again",
        )


async def _wheel_addresses(client: httpx.AsyncClient, index: str, project: str) -> dict[str, str]:
    """File name -> address, from the index's page of a project (PEP 691 JSON, else PEP 503 HTML)."""
    page = f"{index}/{project}/"
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
    answer = await client.get(page, headers={"Accept": accept})
    if answer.status_code == 404:
        return {}
    answer.raise_for_status()
    if "json" in answer.headers.get("content-type", ""):
        return {row["filename"]: urljoin(str(answer.url), row["url"]) for row in answer.json()["files"]}
    found = re.findall(r'<a\s[^>]*href="([^"#]+)[^"]*"[^>]*>([^<]+)</a>', answer.text)
    return {name.strip(): urljoin(str(answer.url), href) for href, name in found}


def _copy_local(address: str, partial: Path) -> bool:
    source = Path(address.removeprefix("file://"))
    if not source.is_file():
        return False
    partial.write_bytes(source.read_bytes())
    return True
