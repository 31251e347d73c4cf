"""The boot menu's entries: what a person can choose, and what each adds to the kernel's command line.

Both menus are made from these, the medium's own (grub.cfg) and the one for a GRUB that starts the ISO as a file
(loopback.cfg), so that an entry does the same wherever it is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """`zh` and `en` are its title; `words` go behind the kernel arguments that all entries share."""

    zh: str
    en: str
    words: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.zh} / {self.en}"


TO_RAM = "toram"
CHECK = "inkstick.check"
SAFE_GRAPHICS = ("nomodeset", "nvidia-drm.modeset=0")
"""No driver takes the screen over: Xorg draws on what the firmware has left. NVIDIA's computes all the same."""


def entries(version: str) -> tuple[Entry, ...]:
    """In the menu's order; the first one starts by itself."""
    return (
        Entry("墨条文字识别站", f"Start Inkstick {version}"),
        Entry("装入内存后启动，可拔出启动盘", "Start from memory, the stick may then be pulled out", (TO_RAM,)),
        Entry("检查启动盘是否完好", "Check the stick", (CHECK,)),
        Entry("安全显示模式（屏幕不亮时用）", "Safe graphics, where the screen stays dark", SAFE_GRAPHICS),
    )


def arguments(shared: str, entry: Entry) -> str:
    """The kernel's command line of an entry."""
    return " ".join([shared, *entry.words])
