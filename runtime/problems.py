"""Errors as problem documents (RFC 9457): a stable `code`, a title, a detail that says the remedy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProblemKind:
    """One kind of error. `code` never changes once published."""

    code: str
    status: int
    title: str
    title_zh: str


@dataclass
class Problem(Exception):
    """Raised anywhere in the runtime; answered as `application/problem+json`.

    `detail` says what was wrong with this input and what to do about it; it never holds
    document text, file paths of the station or a traceback.
    """

    kind: ProblemKind
    detail: str = ""
    retry_after_s: int | None = None
    extra: dict[str, str | int | list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind.code}: {self.detail or self.kind.title}"


EMPTY_FILE = ProblemKind("empty-file", 400, "The file is empty", "文件是空的")
NOT_AN_IMAGE = ProblemKind("not-an-image", 415, "The file is not an image this station reads", "不是可识别的图片格式")
DAMAGED_IMAGE = ProblemKind("damaged-image", 422, "The image is damaged or cut short", "图片已损坏或不完整")
TOO_MANY_PIXELS = ProblemKind("too-many-pixels", 413, "The image has too many pixels", "图片像素过多")
FILE_TOO_LARGE = ProblemKind("file-too-large", 413, "The file is too large", "文件过大")
MISSING_FILE = ProblemKind("missing-file", 400, "No file was sent", "没有收到文件")
BAD_REQUEST = ProblemKind("bad-request", 422, "The request does not fit the interface", "请求格式不正确")
NOT_FOUND = ProblemKind("not-found", 404, "There is nothing at this address", "地址不存在")
METHOD_NOT_ALLOWED = ProblemKind(
    "method-not-allowed", 405, "This address does not take that method", "不支持的请求方法"
)
QUEUE_FULL = ProblemKind("queue-full", 503, "The station is busy", "系统繁忙")
ENGINE_UNAVAILABLE = ProblemKind("engine-unavailable", 503, "The engine is starting or restarting", "识别引擎正在启动")
ENGINE_TIMEOUT = ProblemKind("engine-timeout", 504, "The page took too long to read", "识别超时")
PAGE_SET_ASIDE = ProblemKind(
    "page-set-aside", 422, "The page brought the engine down and was set aside", "该页使识别引擎中断，已搁置"
)
TASK_NOT_AVAILABLE = ProblemKind(
    "task-not-available", 501, "No engine of this station can do this task", "本机的识别引擎不支持该任务"
)
SCRIPT_NOT_READ = ProblemKind(
    "script-not-read", 422, "The page is in a script that this station does not read", "本机不能识别该页的文字种类"
)
PAGE_LOST = ProblemKind(
    "page-lost", 410, "The page was lost when the service was restarted", "服务重新启动时，该页已丢失"
)
STICK_GONE = ProblemKind("stick-gone", 410, "The USB stick was pulled out", "U 盘已被拔出")
STICK_FULL = ProblemKind("stick-full", 507, "The USB stick is full", "U 盘空间不足")
STICK_READ_ONLY = ProblemKind("stick-read-only", 409, "The USB stick is write-protected", "U 盘处于写保护状态")
STICK_UNREADABLE = ProblemKind("stick-unreadable", 422, "The USB stick cannot be read", "无法读取 U 盘")
INTERNAL = ProblemKind("internal-error", 500, "The station made a mistake", "系统内部错误")
ENGINE_FAILED = ProblemKind("engine-failed", 500, "The engine could not read this page", "识别引擎无法处理该页")
WRONG_HOST = ProblemKind("wrong-host", 421, "The request names another machine", "请求的主机名不正确")
