"""A made-up Xavier NX: files and programs of a board in a folder, to try things without one.

    python -m devices_jetson.constructed FOLDER

Written from the forms that boards print, by no board; whatever is measured on it is marked so. Its
programs log their calls in ``calls.log``; ``denied``, or ``needs_reboot`` (which holds the exit
code), where such a file is there, make them refuse.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

CONF: Final = """\
# constructed: in the form of a Xavier NX
< PARAM TYPE=FILE NAME=CPU_ONLINE >
CORE_0 /sys/devices/system/cpu/cpu0/online
< POWER_MODEL ID=0 NAME=MODE_15W_2CORE >
CPU_ONLINE CORE_0 1
CPU_ONLINE CORE_1 1
CPU_ONLINE CORE_2 0
CPU_ONLINE CORE_3 0
CPU_ONLINE CORE_4 0
CPU_ONLINE CORE_5 0
TPC_POWER_GATING TPC_PG_MASK 0
CPU_DENVER_0 MIN_FREQ 1190400
CPU_DENVER_0 MAX_FREQ 1907200
GPU MIN_FREQ 0
GPU MAX_FREQ 1109250000
EMC MAX_FREQ -1
< POWER_MODEL ID=2 NAME=MODE_15W_6CORE >
CPU_ONLINE CORE_0 1
CPU_ONLINE CORE_1 1
CPU_ONLINE CORE_2 1
CPU_ONLINE CORE_3 1
CPU_ONLINE CORE_4 1
CPU_ONLINE CORE_5 1
TPC_POWER_GATING TPC_PG_MASK 0
CPU_DENVER_0 MIN_FREQ 1190400
CPU_DENVER_0 MAX_FREQ 1420800
GPU MIN_FREQ 0
GPU MAX_FREQ 1109250000
EMC MAX_FREQ -1
< POWER_MODEL ID=3 NAME=MODE_10W_2CORE >
CPU_ONLINE CORE_0 1
CPU_ONLINE CORE_1 1
CPU_DENVER_0 MAX_FREQ 1497600
GPU MAX_FREQ 803250000
< PM_CONFIG DEFAULT=2 >
"""

FILES: Final = {
    "proc/device-tree/model": "NVIDIA Jetson Xavier NX Developer Kit\0",
    "proc/device-tree/compatible": "nvidia,p3509-0000+p3668-0000\0nvidia,tegra194\0",
    "etc/nv_tegra_release": "# R35 (release), REVISION: 4.1, GCID: 0, BOARD: constructed\n",
    "etc/nvpmodel.conf": CONF,
    "sys/devices/system/cpu/online": "0-5\n",
    **{
        f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_{what}_freq": f"{khz}\n"
        for core in range(6)
        for what, khz in (("cur", 1190400), ("min", 1190400), ("max", 1420800))
    },
    "sys/class/devfreq/17000000.gv11b/cur_freq": "306000000\n",
    "sys/class/devfreq/17000000.gv11b/min_freq": "114750000\n",
    "sys/class/devfreq/17000000.gv11b/max_freq": "1109250000\n",
    "sys/class/devfreq/15340000.vic/min_freq": "115200000\n",
    "sys/class/devfreq/15340000.vic/max_freq": "601600000\n",
    "sys/class/thermal/thermal_zone0/type": "CPU-therm\n",
    "sys/class/thermal/thermal_zone0/temp": "39500\n",
    "sys/class/thermal/thermal_zone1/type": "GPU-therm\n",
    "sys/class/thermal/thermal_zone1/temp": "38000\n",
    "sys/class/hwmon/hwmon3/in1_label": "VDD_IN\n",
    "sys/class/hwmon/hwmon3/in1_input": "5000\n",
    "sys/class/hwmon/hwmon3/curr1_input": "700\n",
    "mode": "2\n",
    "power": "3500\n",
}

_SH: Final = """\
#!/bin/sh
# constructed, not NVIDIA's
root=$(cd "$(dirname "$0")/../.." && pwd)
echo "$(basename "$0") $*" >> "$root/calls.log"
"""

_DENY: Final = """\
if [ -e "$root/denied" ]; then
  echo "Error: Run this script($0) as a root user"
  exit 1
fi
"""

PROGRAMS: Final = {
    "usr/sbin/nvpmodel": """\
if [ "$1" = "-q" ]; then
  id=$(cat "$root/mode")
  name=$(sed -n "s/^< POWER_MODEL ID=$id NAME=\\\\([^ ]*\\\\) >/\\\\1/p" "$root/etc/nvpmodel.conf")
  printf 'NV Fan Mode:quiet\\nNV Power Mode: %s\\n%s\\n' "$name" "$id"
  exit 0
fi
"""
    + _DENY
    + """\
if [ -e "$root/needs_reboot" ]; then
  echo "NVPM WARN: Reboot required for changing to this power mode: $2"
  echo "NVPM WARN: DO YOU WANT TO REBOOT NOW? enter YES/yes to confirm:"
  read answer && [ "$answer" = yes ] && touch "$root/rebooted" && exit 0
  echo "NVPM ERROR: bad input!"
  echo "NVPM ERROR: optMask is 1, no request for power mode"
  exit "$(cat "$root/needs_reboot")"
fi
echo "$2" > "$root/mode"
""",
    "usr/bin/jetson_clocks": _DENY
    + """\
case "$1" in
  --store) echo "stored by $$" > "$2" ;;
  --restore) [ -e "$2" ] || exit 1; rm -f "$root/locked" ;;
  *) touch "$root/locked" ;;
esac
""",
    "usr/bin/tegrastats": """\
while true; do
  mw=$(cat "$root/power")
  echo "RAM 2902/7772MB (lfb 4x1MB) CPU [2%@1420,off] GR3D_FREQ 0%@[1109]" \\
    "CPU@39.5C VDD_IN ${mw}mW/3528mW VDD_CPU_GPU_CV 573mW/573mW VDD_SOC 1466mW/1466mW"
  sleep "$(($2 / 1000)).$(printf %03d $(($2 % 1000)))"
done
""",
    "usr/src/tensorrt/bin/trtexec": """\
for word in "$@"; do
  case "$word" in
    --onnx=*) [ -e "${word#--onnx=}" ] || { echo "[E] Could not open file"; exit 1; } ;;
    --exportTimes=*) echo '[{"computeMs": 1.5}, {"computeMs": 1.75}, {"computeMs": 1.25}]' \\
      > "${word#--exportTimes=}" ;;
  esac
done
echo "[I] GPU Compute Time: min = 1.25 ms, max = 1.75 ms, mean = 1.5 ms, median = 1.5 ms"
""",
}


def xavier_nx(folder: Path) -> Path:
    """Write the made-up board into a folder; the folder."""
    for name, text in FILES.items():
        _write(folder / name, text)
    for name, text in PROGRAMS.items():
        up = "/.." * name.count("/")  # from the program's folder to the root
        _write(folder / name, _SH.replace("/../..", up) + text)
        (folder / name).chmod(0o755)
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m devices_jetson.constructed FOLDER")
    xavier_nx(Path(sys.argv[1]))
