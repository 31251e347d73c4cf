// What lies where. A key of one character types it; one of several is an action or another layout, named in the
// catalogue as key.NAME, and key_label.NAME for who does not see it.
const LETTERS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"].map((row) => [...row]);
const last = (other, comma, stop) => ["symbols", other, comma, "left", "space", "right", stop, "enter", "hide"];

export const LAYOUTS = {
  chinese: [LETTERS[0], LETTERS[1], ["'", ...LETTERS[2], "erase"], last("latin", "，", "。")],
  latin: [LETTERS[0], LETTERS[1], ["upper", ...LETTERS[2], "erase"], last("chinese", ",", ".")],
  symbols: [
    [..."1234567890"],
    [..."-/:;()￥@%#"],
    ["more", ...".·、？！“”《》", "erase"],
    last("chinese", "，", "。").with(0, "latin"),
  ],
  more: [
    [..."【】（）—…：；‘’"],
    [..."+=*_&~^|<>"],
    ["symbols", ...'"\\\'[]{}$€', "erase"],
    last("chinese", ",", ".").with(0, "latin"),
  ],
};
