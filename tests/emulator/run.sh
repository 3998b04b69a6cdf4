#!/usr/bin/env bash
# Runs forklore on a machine with as many CPUs as you like: a small system of our own in qemu, made of Debian's kernel,
# busybox and the program with its libraries.
#
#   tests/emulator/run.sh CPUS SCRIPT OUT [PROGRAM]
#
# boots, runs SCRIPT (sh, with `forklore` on the path and an empty folder /out), puts what it left in /out into the folder
# OUT, and prints what it said. Needs Debian's qemu-system-x86, busybox-static, cpio and apt-get; nothing is installed, and
# nothing is kept but the kernel, in target/emulator.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cpus=${1:?how many CPUs} script=${2:?a script} out=${3:?a folder for what it leaves} program=${4:-$here/target/release/forklore}
for tool in qemu-system-x86_64 busybox cpio; do
    command -v "$tool" >/dev/null || { echo "run.sh: $tool is missing: apt-get install qemu-system-x86 busybox-static cpio" >&2; exit 2; }
done
keep=$here/target/emulator
mkdir -p "$keep" "$out"

kernel() { find "$keep/kernel/boot" -name 'vmlinuz-*' 2>/dev/null | head -n 1; }
if [ -z "$(kernel)" ]; then
    package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
    (cd "$keep" && apt-get -qq download "${package:?no kernel package is known: apt-get update}")
    dpkg -x "$keep/$package"_*.deb "$keep/kernel"
fi

root=$(mktemp -d)
# It becomes the root folder of the machine, for every user of it.
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,proc,sys,dev,tmp,out,etc}
cp "$(command -v busybox)" "$root/bin/busybox"
# Its list names itself as well.
"$root/bin/busybox" --list | grep -vx busybox | while read -r applet; do ln -s busybox "$root/bin/$applet"; done
cp "$program" "$root/bin/forklore"
ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
printf 'root:x:0:0::/tmp:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n' >"$root/etc/passwd"
cp "$script" "$root/run.sh"
cat >"$root/init" <<'INIT'
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs tmp /tmp
mount -t tmpfs out /out
export HOME=/tmp PATH=/bin LANG=C.UTF-8
sh /run.sh 2>&1
# Every byte as it is: a terminal line would put a carriage return before each line feed.
stty -F /dev/ttyS1 raw
tar -c -C /out . | gzip >/dev/ttyS1
sync
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . -print0 | cpio --null -o -H newc --quiet | gzip -1) >"$root.img"
trap 'rm -rf "$root" "$root.img" "$root.tar"' EXIT
# Emulated, not virtualised: KVM with more CPUs than the host has stalls on spinlocks.
timeout "${FORKLORE_EMULATOR_SECONDS:-1800}" qemu-system-x86_64 -accel tcg,thread=multi -smp "$cpus" -m 4096 -display none \
    -kernel "$(kernel)" -initrd "$root.img" -append "console=ttyS0 quiet panic=-1 loglevel=3" \
    -serial stdio -serial "file:$root.tar" -no-reboot </dev/null | sed -u 's/\r$//'
tar -x -z -f "$root.tar" -C "$out"
