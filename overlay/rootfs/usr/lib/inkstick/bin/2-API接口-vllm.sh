#!/bin/sh
# API 接口：8000 端口 POST /ocr，用 vLLM 识别 / REST on 8000, read by vLLM
exec "$(dirname "$0")/read-with" vllm
