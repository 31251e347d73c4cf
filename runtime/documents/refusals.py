"""Why a document is refused, beyond what is wrong with a single image (see runtime.problems)."""

from __future__ import annotations

from runtime import problems
from runtime.problems import ProblemKind

DAMAGED_DOCUMENT = ProblemKind("damaged-document", 422, "The document is damaged or cut short", "文档已损坏或不完整")
LOCKED_DOCUMENT = ProblemKind("locked-document", 422, "The document is protected by a password", "文档有密码保护")
TOO_MANY_PAGES = ProblemKind("too-many-pages", 413, "The document has too many pages", "文档页数过多")
NO_SUCH_PAGE = ProblemKind("no-such-page", 422, "The document has no such page", "文档没有该页")
EMPTY_ARCHIVE = ProblemKind(
    "empty-archive", 422, "The ZIP file holds nothing that can be read", "压缩包中没有可识别的文件"
)
ARCHIVE_BOMB = ProblemKind("archive-bomb", 413, "The ZIP file unpacks to too much", "压缩包解压后过大")
TOO_COSTLY = ProblemKind(
    "document-too-costly",
    422,
    "The file takes more memory or time to open than is allowed",
    "打开文件所需内存或时间过多",
)
DECODER_CRASHED = ProblemKind("decoder-crashed", 422, "The file broke its decoder", "文件导致解码器崩溃")

KINDS: dict[str, ProblemKind] = {
    kind.code: kind
    for kind in (
        DAMAGED_DOCUMENT,
        LOCKED_DOCUMENT,
        TOO_MANY_PAGES,
        NO_SUCH_PAGE,
        EMPTY_ARCHIVE,
        ARCHIVE_BOMB,
        TOO_COSTLY,
        DECODER_CRASHED,
        problems.EMPTY_FILE,
        problems.FILE_TOO_LARGE,
        problems.NOT_AN_IMAGE,
        problems.DAMAGED_IMAGE,
        problems.TOO_MANY_PIXELS,
        problems.BAD_REQUEST,
    )
}
"""By code: how a refusal comes out of the cage."""
