"""The diagnostics bundle: one ZIP with everything about the station and nothing of what it read."""

from __future__ import annotations

import io
import json
import platform
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from typing import Any

from pydantic import BaseModel

from runtime.admin.log_book import Line

README = """Inkstick diagnostics / 墨锭诊断信息

summary.txt     what the QR code on the station's screen says / 屏幕二维码的内容
hardware.json   what was found on the machine, and what keeps engines from running / 硬件检测结果
alerts.json     what is and was wrong, and every rule with its figure / 告警
engines.json    the engines, their versions and models / 识别引擎
selftest.json   how well the station read its own pages / 自检历史
history.json    latency, throughput, errors, queue, processor, memory, card over time / 运行曲线
metrics.txt     the same and more, as Prometheus reads it / 监控指标
log.jsonl       what the station's own programs said / 日志
versions.json   profile, programs, packages, kernel / 版本

No page, no text that was read, no name of a file of yours and no key is in here.
其中不含任何图片、识别文字、您的文件名或密钥。
"""


def bundle(
    *,
    summary: str,
    documents: Mapping[str, Any],
    metrics: bytes,
    lines: Sequence[Line],
    versions: Mapping[str, Any],
) -> bytes:
    """The ZIP. `documents`: by name, what can be told as JSON."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("README.txt", README)
        packed.writestr("summary.txt", summary + "\n")
        for name, document in {**documents, "versions": {**versions, **_programs()}}.items():
            packed.writestr(f"{name}.json", json.dumps(_told(document), ensure_ascii=False, indent=1))
        packed.writestr("metrics.txt", metrics)
        packed.writestr("log.jsonl", "".join(line.model_dump_json() + "\n" for line in lines))
    return out.getvalue()


def name_of(at: float) -> str:
    return time.strftime("inkstick-diagnostics-%Y%m%d-%H%M%S", time.localtime(at))


def _programs() -> dict[str, Any]:
    return {
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": sys.version.split()[0],
        "packages": {each.name: each.version for each in sorted(distributions(), key=lambda each: each.name.lower())},
    }


def _told(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_told(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _told(each) for name, each in value.items()}
    return value
