"""Where the station's own records lie, and how reviews come into them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence

from runtime.accuracy.records import Records
from runtime.accuracy.reviews import review
from runtime.config import StationConfig
from runtime.fields.forms import with_own
from runtime.kiosk.contracts import OnSaved, Reviewed
from runtime.kiosk.forgetting import OnForgotten

log = logging.getLogger(__name__)


def open_records(config: StationConfig) -> Records:
    """Beside the jobs; if they cannot be kept there, in memory: pages are read all the same.

    Corrections' texts are kept only where a key guards them.
    """
    try:
        return Records(config.jobs.folder, keep_texts=config.auth.required)
    except (OSError, sqlite3.Error):
        log.exception("no records are kept in %s", config.jobs.folder)
        return Records(None, keep_texts=config.auth.required)


def keep_reviews(records: Records, config: StationConfig) -> OnSaved:
    """What to do with pages that were saved: their figures are kept. Never fails: the pages are safe already."""
    forms = with_own(config.forms)

    def keep(pages: Sequence[Reviewed]) -> None:
        records.keep_reviews([review(page.page, page.result, page.corrections, forms) for page in pages])

    async def kept(pages: Sequence[Reviewed]) -> None:
        try:
            await asyncio.to_thread(keep, pages)
        except Exception:
            log.exception("reviews were not kept")

    return kept


def forget_texts(records: Records) -> OnForgotten:
    """What to do with pages that are forgotten: no text of theirs stays. Never fails."""

    async def forgotten(pages: Sequence[str]) -> None:
        try:
            await asyncio.to_thread(records.forget_texts, pages)
        except Exception:
            log.exception("corrections' texts were not forgotten")

    return forgotten
