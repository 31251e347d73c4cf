#!/bin/sh
# 界面推理：浏览器打开 7860 端口，用 transformers（pt）识别 / pages on 7860, read by transformers
exec "$(dirname "$0")/read-with" transformers
