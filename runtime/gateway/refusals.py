"""Refusals that only programs meet: the kiosk's page never asks for what they refuse."""

from __future__ import annotations

from runtime.problems import ProblemKind

UNKNOWN_FORM = ProblemKind("unknown-form", 422, "The station knows no form of that name", "本机没有该名称的表单")
NO_FORM = ProblemKind("no-form", 422, "The page is none of the station's forms", "该页不是已知的证件或票据")
NO_JOB = ProblemKind("no-job", 404, "There is no such job, or not any more", "任务不存在或已过期")
JOB_UNFINISHED = ProblemKind("job-unfinished", 409, "The job is not finished", "任务尚未完成")
KEY_REUSED = ProblemKind(
    "idempotency-key-reused", 422, "The idempotency key came with another request before", "幂等键已用于其他请求"
)
KEY_WANTED = ProblemKind("key-wanted", 401, "This station wants an API key", "需要 API 密钥")
KEY_REFUSED = ProblemKind("key-refused", 401, "The API key is not accepted", "API 密钥无效")
KEY_TOO_LITTLE = ProblemKind("key-too-little", 403, "The API key is not for this", "API 密钥权限不足")
RATE_EXCEEDED = ProblemKind("rate-exceeded", 429, "Too many requests in a short time", "请求过于频繁")
DEADLINE_PASSED = ProblemKind("deadline-passed", 504, "The caller's time is over", "未能在要求的时间内完成")
LOCKED_OUT = ProblemKind("locked-out", 429, "Too many wrong keys", "密钥错误次数过多")
