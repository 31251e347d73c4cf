"""What a person may try at the keyboard and the mouse to get out of the page, by what it would do elsewhere.

Keys and pointer commands are xdotool's; keys with a space between them are pressed one after the other.
"""

from __future__ import annotations

KEYS: dict[str, tuple[str, ...]] = {
    "a new window or tab": ("ctrl+n", "ctrl+t", "ctrl+shift+n", "ctrl+shift+t", "ctrl+shift+k", "ctrl+k", "XF86New"),
    "close or quit": (
        *("alt+F4", "ctrl+w", "ctrl+shift+w", "ctrl+q", "ctrl+shift+q", "ctrl+F4", "XF86Close", "ctrl+alt+q"),
        *("super+q", "alt+q", "XF86LogOff"),
    ),
    "developer tools and source": (
        *("F12", "ctrl+shift+i", "ctrl+shift+j", "ctrl+shift+c", "ctrl+u", "ctrl+shift+F12", "ctrl+shift+u"),
        *("ctrl+alt+i", "ctrl+alt+u"),
    ),
    "a file dialog, save, print": (
        *("ctrl+o", "ctrl+shift+o", "ctrl+shift+s", "ctrl+p", "ctrl+shift+p", "Print", "alt+Print", "XF86Open"),
        *("XF86Save", "super+p", "ctrl+alt+p", "XF86Documents"),
    ),
    "another address": (
        *("ctrl+l", "alt+d", "F6", "shift+F6", "ctrl+e", "ctrl+shift+e", "alt+Return", "ctrl+Return", "alt+Home"),
        *("XF86HomePage", "XF86WWW", "XF86Search", "XF86Favorites", "XF86OpenURL", "XF86Go"),
    ),
    "back, forward, reload": (
        *("alt+Left", "alt+Right", "XF86Back", "XF86Forward", "F5", "ctrl+F5", "shift+F5", "ctrl+r", "ctrl+shift+r"),
        *("XF86Reload", "XF86Refresh", "XF86Stop", "alt+BackSpace"),
    ),
    "other tabs and windows": (
        *("ctrl+Tab", "ctrl+shift+Tab", "ctrl+Next", "ctrl+Prior", "ctrl+shift+Next", "ctrl+1", "ctrl+2", "ctrl+9"),
        *("alt+Tab", "alt+shift+Tab", "alt+Escape", "alt+F6", "alt+1", "ctrl+shift+a", "super+Tab", "XF86TaskPane"),
    ),
    "lists that the browser keeps": (
        *("ctrl+h", "ctrl+j", "ctrl+d", "ctrl+shift+d", "ctrl+shift+b", "ctrl+shift+Delete", "ctrl+shift+h"),
        *("XF86History", "ctrl+shift+m", "ctrl+shift+y", "ctrl+b", "ctrl+i"),
    ),
    "menus": (
        *("Menu", "shift+F10", "ctrl+F10", "alt+space", "alt+e", "alt+f", "alt+F10", "F11", "shift+F11", "ctrl+F11"),
        *("alt+F8", "alt+F7", "alt+F9", "super+space", "XF86MenuKB", "alt+shift+t", "alt+shift+i", "alt+shift+a"),
    ),
    "the browser's own panels": (
        *("shift+Escape", "ctrl+shift+Escape", "F1", "shift+F1", "ctrl+f", "ctrl+g", "ctrl+shift+g", "F3", "shift+F3"),
        *("shift+F7", "Help", "Find", "ctrl+shift+slash", "ctrl+question", "ctrl+shift+l", "ctrl+m"),
    ),
    "zoom": (
        *("ctrl+plus", "ctrl+minus", "ctrl+0", "ctrl+KP_Add", "ctrl+KP_Subtract", "ctrl+KP_0", "ctrl+equal"),
        *("ctrl+shift+equal", "XF86ZoomIn", "XF86ZoomOut"),
    ),
    "the display server": (
        *("ctrl+alt+BackSpace", "ctrl+alt+Delete", "ctrl+alt+F1", "ctrl+alt+F2", "ctrl+alt+F3", "ctrl+alt+F7"),
        *("ctrl+alt+F8", "ctrl+alt+F12", "alt+F1", "alt+F2", "alt+F3", "ctrl+alt+KP_Add", "ctrl+alt+KP_Subtract"),
        *("ctrl+alt+KP_Multiply", "ctrl+alt+KP_Divide", "alt+Sys_Req", "ctrl+alt+Escape"),
    ),
    "a desktop, where there is one": (
        *("Super_L", "Super_R", "super+l", "super+r", "super+e", "super+d", "super+x", "super+i", "super+Return"),
        *("ctrl+Escape", "ctrl+alt+t", "ctrl+alt+l", "ctrl+alt+d", "ctrl+alt+Tab", "ctrl+alt+Left", "ctrl+alt+Up"),
    ),
    "keys with a name on them": (
        *("XF86Mail", "XF86Calculator", "XF86Explorer", "XF86MyComputer", "XF86Terminal", "XF86AudioMedia"),
        *("XF86Launch1", "XF86LaunchA", "XF86Tools", "XF86Phone", "XF86Messenger", "XF86Eject", "XF86ScreenSaver"),
    ),
    "with locks held": (
        *("Mode_switch+ctrl+n", "ISO_Level3_Shift+ctrl+n", "ISO_Level3_Shift+F12", "ctrl+super+n", "ctrl+alt+n"),
        *("ctrl+alt+shift+n", "shift+super+n", "ctrl+alt+super+w"),
        *(f"{lock} {chord} {lock}" for lock in ("Caps_Lock", "Num_Lock") for chord in ("ctrl+n", "ctrl+shift+t")),
        *(f"{lock} {chord} {lock}" for lock in ("Caps_Lock", "Num_Lock") for chord in ("alt+F4", "ctrl+p")),
        *("Caps_Lock Num_Lock ctrl+t Num_Lock Caps_Lock", "Num_Lock ctrl+KP_Next Num_Lock"),
    ),
}

POINTER: dict[str, tuple[str, ...]] = {
    "a menu": ("click 3", "keydown shift click 3 keyup shift", "keydown ctrl click 3 keyup ctrl"),
    "paste or scroll by the middle button": ("click 2", "keydown ctrl click 2 keyup ctrl", "click 2 click 2"),
    "back and forward": ("click 8", "click 9", "keydown alt click 8 keyup alt"),
    "a new window from a click": (
        *("keydown ctrl click 1 keyup ctrl", "keydown ctrl keydown shift click 1 keyup shift keyup ctrl"),
        *("keydown alt click 1 keyup alt", "keydown super click 1 keyup super"),
    ),
    "zoom by the wheel": ("keydown ctrl click 4 keyup ctrl", "keydown ctrl click 5 keyup ctrl"),
    "a swipe over the edge": (
        *("mousemove 2 400 mousedown 1 mousemove 400 400 mousemove 900 400 mouseup 1",),
        *("mousemove 1278 400 mousedown 1 mousemove 700 400 mousemove 200 400 mouseup 1",),
        *("mousemove 640 1 mousedown 1 mousemove 640 300 mousemove 640 600 mouseup 1",),
        *("mousemove 640 798 mousedown 1 mousemove 640 500 mousemove 640 200 mouseup 1",),
    ),
    "dragging what is on the page": (
        *("mousemove 300 300 mousedown 1 mousemove 600 500 mousemove 1000 700 mouseup 1",),
        *("mousemove 80 40 mousedown 1 mousemove 300 300 mousemove 600 500 mouseup 1",),
        *("mousemove 1000 400 mousedown 1 mousemove 500 400 mousemove 300 200 mouseup 1",),
    ),
    "the corners": tuple(f"mousemove {x} {y} click 3 click 2" for x in (0, 1279) for y in (0, 799)),
    "many clicks": ("click --repeat 3 --delay 60 1", "click --repeat 4 --delay 60 3"),
}
