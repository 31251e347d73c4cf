"""The full-size 4090d stick, as far as it can be known before a card sees it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from builder import isofs
from builder.cache import Cache
from builder.gpu.elf import mapped
from builder.iso import LARGEST_FILE_BYTES
from builder.layers.synthetic import tensors
from builder.plan import Plan
from builder.verify import verify
from tests.full.stack import Stack

pytestmark = pytest.mark.full

PYTHON = {"PYTHONPATH": "/usr/lib/inkstick:/usr/lib/inkstick/python", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

IMPORTS = """
import sys
tried = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        tried.append(f"{event} {args}")
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        if not str(args[0]).startswith(("/tmp/", "/dev/", "/proc/")):
            tried.append(f"write {args[0]}")
sys.addaudithook(watch)
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
print("tried:", tried)
"""

VLLM = (
    *("vllm._C", "vllm.vllm_flash_attn._vllm_fa2_C", "vllm.entrypoints.openai.api_server", "vllm.v1.engine.async_llm"),
    *("vllm.v1.engine.core", "vllm.v1.worker.gpu_worker", "vllm.v1.worker.gpu_model_runner", "torchvision", "triton"),
    *("vllm.v1.attention.backends.flash_attn", "vllm.model_executor.models.hunyuan_vision"),
)


def beside(iso: Path, ending: str) -> Path:
    return iso.with_name(f"{iso.name.removesuffix('.iso')}.{ending}")


def listing(plan: Plan, cache: Cache, layer: str) -> list[str]:
    image = plan.step(layer).folder(cache) / "image.squashfs"
    return subprocess.run(
        ["unsquashfs", "-lls", image], check=True, capture_output=True, text=True
    ).stdout.splitlines()


def test_the_iso_verifies_and_no_file_reaches_4_gib(iso: Path) -> None:
    assert verify(iso, lambda done, total: None).ok
    assert max(extent.size for extent in isofs.files(iso).values()) <= LARGEST_FILE_BYTES


def test_random_weights_are_marked_everywhere(iso: Path, stack: Stack) -> None:
    assert iso.name.endswith("-synthetic.iso")
    assert json.loads(beside(iso, "manifest.json").read_text())["model"]["synthetic"] is True
    assert json.loads(stack.run("cat", "/usr/share/inkstick/model/about.json").stdout)["synthetic"] is True
    assert stack.run("test", "-f", "/usr/lib/inkstick/model/SYNTHETIC").returncode == 0


def test_the_manifest_names_a_licence_for_everything(iso: Path) -> None:
    about = json.loads(beside(iso, "manifest.json").read_text())
    assert all(row["licence"] for row in (*about["packages"], *about["wheels"]))
    assert {"base", "driver", "model", "station"} <= set(about["sizes"])


def test_vllm_starts_without_network_disk_and_what_was_left_out(stack: Stack) -> None:
    done = stack.run("python3", "-c", IMPORTS, *VLLM, **PYTHON, **OFFLINE)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "tried: []"


def test_the_other_engine_starts_without_network_and_disk(stack: Stack) -> None:
    path = "/usr/lib/inkstick:/usr/lib/inkstick/python-transformers:/usr/lib/inkstick/python"
    modules = (
        "runtime.engine.transformers_engine",
        "transformers.models.hunyuan_vl.modeling_hunyuan_vl",
        "torchvision",
    )
    done = stack.run("python3", "-c", IMPORTS, *modules, **{**PYTHON, **OFFLINE, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "tried: []"


def test_vllm_knows_the_model(stack: Stack) -> None:
    code = "from vllm.model_executor.models.registry import ModelRegistry as r; print(*r.get_supported_archs())"
    done = stack.run("python3", "-c", code, **PYTHON, **OFFLINE)
    assert "HunYuanVLForConditionalGeneration" in done.stdout, done.stderr[-2000:]


def test_the_other_engine_finds_its_own_transformers_before_the_shared_one(stack: Stack) -> None:
    path = "/usr/lib/inkstick:/usr/lib/inkstick/python-transformers:/usr/lib/inkstick/python"
    code = (
        "import transformers, torch; from transformers import AutoProcessor, HunYuanVLForConditionalGeneration;"
        "print(transformers.__version__, torch.__version__, transformers.__file__)"
    )
    done = stack.run("python3", "-c", code, **{**PYTHON, **OFFLINE, "PYTHONPATH": path})
    assert done.stdout.startswith("5.13.1 2.10.0"), done.stderr[-3000:]
    assert "/python-transformers/" in done.stdout


def test_both_engines_read_the_configuration_of_the_model(stack: Stack) -> None:
    code = (
        "from transformers import AutoConfig, AutoTokenizer; m='/usr/lib/inkstick/model';"
        "c=AutoConfig.from_pretrained(m); t=AutoTokenizer.from_pretrained(m);"
        "print(c.model_type, len(t), t.decode(t.encode('发票 A4', add_special_tokens=False)))"
    )
    path = "/usr/lib/inkstick:/usr/lib/inkstick/python-transformers:/usr/lib/inkstick/python"
    done = stack.run("python3", "-c", code, **{**PYTHON, **OFFLINE, "PYTHONPATH": path})
    assert done.stdout.strip() == "hunyuan_vl 120818 发票 A4", done.stderr[-3000:]


def test_triton_finds_a_compiler_with_all_its_launchers_need(stack: Stack) -> None:
    """As triton/runtime/build.py calls it, for a source that includes what its launchers include."""
    source = '#include "cuda.h"\\n#include <Python.h>\\n#include <dlfcn.h>\\n'
    code = (
        "import pathlib, triton.runtime.build as b, triton.backends.nvidia.driver as d;"
        f"p=pathlib.Path('/tmp/launch.c'); p.write_text('{source}');"
        "print(b._build('launch', str(p), '/tmp', d.library_dirs(), d.include_dirs, d.libraries, []))"
    )
    done = stack.run("python3", "-c", code, **PYTHON, **OFFLINE)
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_report_names_machine_code_for_the_card(iso: Path, plan: Plan) -> None:
    rows = {row["library"]: row for row in json.loads(beside(iso, "kernels.json").read_text())}
    for name in ("vllm/_C.abi3.so", "vllm/vllm_flash_attn/_vllm_fa2_C.abi3.so", "torch/lib/libtorch_cuda.so"):
        assert rows[name]["runs_on"]["sm_89"] > 0 and rows[name]["only_ptx"]["sm_89"] == 0
    assert "vllm/_C.abi3.so" in beside(iso, "kernels.txt").read_text()


def test_the_scanner_counts_what_nvidias_own_tool_counts(stack: Stack, iso: Path) -> None:
    rows = {row["library"]: row for row in json.loads(beside(iso, "kernels.json").read_text())}
    site = "/usr/lib/inkstick/python"
    tool = f"{site}/triton/backends/nvidia/bin/cuobjdump"
    for name in ("vllm/_C.abi3.so", "vllm/vllm_flash_attn/_vllm_fa2_C.abi3.so", "torch/lib/libtorch_cuda.so"):
        listed = stack.run(
            "sh", "-c", f"cp {tool} /tmp/tool && chmod +x /tmp/tool && /tmp/tool --list-elf {site}/{name}"
        )
        found: dict[str, int] = {}
        for architecture in re.findall(r"\.(sm_\d+a?)\.cubin", listed.stdout):
            found[architecture] = found.get(architecture, 0) + 1
        assert found == rows[name]["machine_code"], name


def test_nothing_that_built_the_driver_is_in_its_layer(plan: Plan, cache: Cache) -> None:
    rows = listing(plan, cache, "driver")
    forbidden = re.compile(r"/usr/src/|dkms/framework|/var/lib/dkms|linux-headers|\.pem|mok\.|signing|\.priv|/gcc")
    assert [row for row in rows if forbidden.search(row)] == []
    modules = [row for row in rows if re.search(r"/updates/dkms/nvidia.*\.ko\.xz$", row)]
    assert len(modules) == 5
    setuid = [row for row in rows if "s" in row.split(" ")[0].lower()[1:]]
    assert setuid == []


def test_the_modules_are_known_to_modprobe_and_signed_by_the_certificate_that_ships(
    stack: Stack, plan: Plan, cache: Cache
) -> None:
    kernel = next(iter(stack.run("ls", "/usr/lib/modules").stdout.split()))
    # Debian's settings lead from NVIDIA's name for a module to its own.
    assert "nvidia-current" in stack.run("modprobe", "-S", kernel, "--show-depends", "nvidia").stdout
    done = stack.run("modprobe", "-S", kernel, "--show-depends", "nvidia-current-uvm")
    assert "nvidia-current.ko" in done.stdout and "nvidia-current-uvm.ko" in done.stdout, done.stderr
    signer = stack.run("modinfo", "-k", kernel, "-F", "signer", "nvidia-current").stdout.strip()
    assert signer == json.loads((plan.step("modules").folder(cache) / "modules.json").read_text())["signer"]


def test_the_libraries_are_found_by_the_loader(stack: Stack) -> None:
    done = stack.run("python3", "-c", "import ctypes; ctypes.CDLL('libcuda.so.1'); ctypes.CDLL('libnvidia-ml.so.1')")
    assert done.returncode == 0, done.stderr


def test_the_model_layer_holds_every_tensor_at_a_page(plan: Plan, cache: Cache, stack: Stack) -> None:
    index = json.loads(stack.run("cat", "/usr/lib/inkstick/model/model.safetensors.index.json").stdout)
    assert set(index["weight_map"]) == {tensor.name for tensor in tensors()}
    image = plan.step("model").folder(cache) / "image.squashfs"
    marker = b'{"__metadata__": {"format": "pt"}'
    found = []
    with mapped(image) as data:
        place = data.find(marker)
        while place >= 0:
            found.append((place - 8) % 4096)
            place = data.find(marker, place + 1)
    assert found == [0, 0, 0, 0]


def test_the_driver_brings_the_list_of_cards_that_it_knows(stack: Stack) -> None:
    known = stack.run("cat", "/usr/share/inkstick/driver/supported.ids").stdout.split()
    assert {"2684", "2685", "2204", "2236", "2330"} <= set(known), "4090, 4090 D, 3090, A10, H100"
    assert "2b85" not in known, "the 5090 came after this driver"


def test_the_hardware_unit_holds_back_what_needs_a_card(stack: Stack) -> None:
    """The stack has no /sys, and so no card."""
    look = "python3 -m runtime.hardware --folder /tmp/found look && cat /tmp/found/report.json && ls /tmp/found/held"
    done = stack.run("sh", "-c", look, **PYTHON)
    assert done.returncode == 0, done.stderr
    report, _, held = done.stdout.rpartition("}")
    assert json.loads(report + "}")["parts"] == {"vllm": "refused", "transformers": "refused", "rapidocr": "start"}
    assert held.split() == ["transformers", "vllm"]
    assert "NO-NVIDIA-CARD" in done.stderr


@pytest.mark.parametrize(
    "unit",
    [
        *("inkstick-hardware.service", "inkstick-vllm.service", "inkstick-engine@vllm.service"),
        *("inkstick-engine@transformers.service", "inkstick-engine-next@vllm.service"),
    ],
)
def test_systemd_reads_the_units_of_the_card(stack: Stack, unit: str) -> None:
    done = stack.run("systemd-analyze", "--man=no", "--generators=no", "verify", f"/etc/systemd/system/{unit}")
    complaints = [line for line in done.stderr.splitlines() if "inkstick" in line]
    assert complaints == [], done.stderr


def test_the_unit_starts_vllms_server_with_the_profiles_arguments(stack: Stack) -> None:
    """As its unit calls it, up to vLLM's own search for a card, which is not there."""
    command = "python3 -m runtime.engine.vllm_main --config /etc/inkstick/station.json --name vllm"
    done = stack.run("sh", "-c", f"mkdir -p /tmp/run && {command}", **PYTHON, HOME="/tmp")
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "usage:" not in said, said[-3000:]
    assert "Failed to infer device type" in said or "No CUDA" in said or "NVIDIA driver" in said, said[-3000:]
