"""Keys and buttons that no browser on a station may see, taken from it by passive grabs of the root window.

A window manager takes its shortcuts the same way: the display server gives them to whoever holds the grab, whatever
has the focus, whether a page is shown, is hung, or has not come yet. Here they go nowhere. What is not named stays
the page's: plain keys, editing with Ctrl, the function keys that it uses.
"""

import ctypes
import threading

SHIFT, CONTROL, ALT, SUPER = 1, 4, 8, 64
_LOCKS = (2, 16, 32, 128)
"""Caps lock, num lock, Mod3 and AltGr: a chord is the same chord with them."""
_ANY_KEY, _ANY_MODIFIER, _ASYNC, _BUTTON_PRESS = 0, 1 << 15, 1, 1 << 2
_KEYCODES = range(8, 256)

EDITING = frozenset(
    {"a", "c", "s", "v", "x", "y", "z", "space", "Return", "BackSpace", "Delete", "Insert", "Home", "End", "Left"}
    | {"Right", "Up", "Down", "KP_Enter", "Control_L", "Control_R", "Shift_L", "Shift_R"}
)
"""With Ctrl. Space turns the input method on."""
EDITING_WITH_SHIFT = EDITING - {"a", "c", "s", "x", "Delete", "Insert"}
NEVER = frozenset({"F1", "F3", "F4", "F5", "F6", "F11", "F12", "Menu", "Print", "Help", "Find", "Execute", "Cancel"})
"""Whatever is held with them: help, search, reload, address, caret, full screen, developer tools, menus."""
ALONE_ONLY = frozenset({"F2", "F7", "F8", "F9", "F10", "Escape"})
"""Shift+Escape is the task manager, Shift+F10 a menu."""
_MULTIMEDIA = range(0x1008FE00, 0x1008FFFF + 1)
"""Keysyms of keys like Home page, Mail, Search, Back (XF86keysym.h)."""


def grab(display_name: bytes | None = None) -> None:
    """Take them all, and drop what comes, for as long as this process lives. Raises OSError without a display."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XKeysymToString.restype = ctypes.c_char_p
    x.XDefaultRootWindow.restype = x.XkbKeycodeToKeysym.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x.XOpenDisplay(display_name))
    if not display:
        raise OSError("no display to take keys from")
    global _on_error  # Xlib keeps a pointer to it
    _on_error = _Handler(lambda *_: 0)  # another program has one of them: that one is no browser's either
    x.XSetErrorHandler(_on_error)
    root = ctypes.c_ulong(x.XDefaultRootWindow(display))

    def key(code: int, modifiers: int) -> None:
        x.XGrabKey(display, code, modifiers, root, 0, _ASYNC, _ASYNC)

    for modifiers in range(256):
        if modifiers & (ALT | SUPER):
            key(_ANY_KEY, modifiers)
    for code in _KEYCODES:
        symbol = x.XkbKeycodeToKeysym(display, code, 0, 0)
        name = (x.XKeysymToString(ctypes.c_ulong(symbol)) or b"").decode()
        for modifiers in _refused(name, symbol):
            key(code, modifiers)
    for button in (2, 3, *range(8, 16)):  # paste, menu, back, forward, and what else a mouse may have
        x.XGrabButton(display, button, _ANY_MODIFIER, root, 0, _BUTTON_PRESS, _ASYNC, _ASYNC, 0, 0)
    for modifiers in range(256):
        if modifiers & (CONTROL | ALT | SUPER):
            x.XGrabButton(display, 1, modifiers, root, 0, _BUTTON_PRESS, _ASYNC, _ASYNC, 0, 0)
    x.XSync(display, 0)
    threading.Thread(target=_drop, args=(x, display), daemon=True).start()


def _refused(name: str, symbol: int) -> list[int]:
    """The modifiers with which this key is taken."""
    if name in NEVER or symbol in _MULTIMEDIA:
        return [_ANY_MODIFIER]
    chords = []
    if name in ALONE_ONLY:
        chords += [SHIFT, CONTROL, CONTROL | SHIFT]
    else:
        chords += [] if name in EDITING else [CONTROL]
        chords += [] if name in EDITING_WITH_SHIFT else [CONTROL | SHIFT]
    return [chord | locks for chord in chords for locks in _combinations()]


def _combinations() -> list[int]:
    found = [0]
    for lock in _LOCKS:
        found += [held | lock for held in found]
    return found


def _drop(x: ctypes.CDLL, display: ctypes.c_void_p) -> None:
    event = ctypes.create_string_buffer(192)  # sizeof(XEvent)
    while True:
        x.XNextEvent(display, event)


_Handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_on_error = _Handler()
