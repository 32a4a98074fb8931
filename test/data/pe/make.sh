#!/bin/bash
# Makes amd64.dll and i386.dll (PE32+ and PE32) of sample.c and sample.rc, and beside each what llvm-readobj says of it: the truth that the
# tests compare with. Needs clang, lld and llvm (Debian: clang-14 lld-14 llvm-14). Built in a folder of a fixed name.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
V=${LLVM:--14}
work=/tmp/rekall-pe
rm -rf "$work" && mkdir "$work" && cp "$here"/sample.* "$work" && cd "$work"
llvm-rc$V /no-preprocess /fo sample.res sample.rc
printf 'LIBRARY sample.dll\nEXPORTS\n first @5\n second @6\n alias=second @7\n nameless @9 NONAME\n forwarded=NTDLL.RtlAllocateHeap @12\n' > sample.def
make() { # NAME TRIPLE MACHINE AT(decoration of imports) EXTRA...
  local name=$1 triple=$2 machine=$3 at=$4; shift 4
  printf 'LIBRARY alpha.dll\nEXPORTS\n AlphaOne%s\n AlphaTwo%s\n' "$at" "$at" > alpha.def
  printf 'LIBRARY beta.dll\nEXPORTS\n BetaByNumber%s @42 NONAME\n' "$at" > beta.def
  printf 'LIBRARY late.dll\nEXPORTS\n LateOne%s\n' "$at" > late.def
  for lib in alpha beta late; do llvm-dlltool$V -k -m $machine -d $lib.def -l $lib.lib; done
  clang$V --target=$triple -ffreestanding -fms-extensions -Wno-everything -g -gcodeview -O1 -fdebug-compilation-dir=. -c sample.c -o $name.obj
  lld-link$V /nologo /dll /nodefaultlib /debug /opt:noref /implib:x.lib /def:sample.def /delayload:late.dll /entry:DllEntry /timestamp:1262304000 /version:3.4 \
    "$@" /out:$name.dll /pdb:$name.pdb '/pdbaltpath:d:\build\sample.pdb' $name.obj sample.res alpha.lib beta.lib late.lib
  llvm-readobj$V --file-headers --sections --coff-imports --coff-exports --coff-debug-directory --coff-resources $name.dll | gzip -9n > $name.truth.txt.gz
  cp $name.dll $name.truth.txt.gz "$here"
}
make amd64 x86_64-pc-windows-msvc i386:x86-64 '' /base:0x180000000
make i386 i686-pc-windows-msvc i386 '@4' /base:0x10000000 /safeseh:no
rm -rf "$work"
