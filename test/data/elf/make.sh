#!/bin/sh
# Makes the small libraries and what nm prints of them (gcc with -m32 support), and of the programs that the sample's guest ran (Debian 12:
# bash 5.2.15-2+b8, libc6 2.36-9+deb12u14; their build ids stand above) what nm prints of the same files.
set -e
cd "$(dirname "$0")"
flags="-shared -fPIC -O1 -nostdlib -Wl,-z,noseparate-code -Wl,--build-id=sha1"
gcc $flags -Wl,--hash-style=gnu tiny.c -o tiny-gnu.so
gcc $flags -Wl,--hash-style=sysv tiny.c -o tiny-sysv.so
gcc $flags -m32 tiny.c -o tiny-32.so
for library in tiny-gnu tiny-sysv tiny-32; do nm $library.so > $library.nm; done
program() { { readelf -n "$2" | grep -o 'Build ID: .*'; nm -D --defined-only "$2"; } > "$1.nm"; }
program bash /bin/bash
program libc /lib/x86_64-linux-gnu/libc.so.6
program libtinfo /lib/x86_64-linux-gnu/libtinfo.so.6
program ld-linux-x86-64 /lib64/ld-linux-x86-64.so.2
# The kernel's own copy of the vdso: linux!vdso_image_64.data, vdso_image_64.size bytes.
if [ -n "$VDSO" ]; then program vdso "$VDSO"; fi
for list in bash libc libtinfo ld-linux-x86-64 vdso; do [ -f $list.nm ] && gzip -9nf $list.nm; done
