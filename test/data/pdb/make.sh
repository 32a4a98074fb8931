#!/bin/bash
# Makes types-amd64.pdb and types-i386.pdb, and beside each what llvm-pdbutil says of it: the truth that the tests compare with.
# Needs clang, lld and llvm (Debian: clang-14 lld-14 llvm-14). Built in a folder of a fixed name: PDBs keep the paths they were made in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
V=${LLVM:--14}
work=/tmp/rekall-pdb
rm -rf "$work" && mkdir "$work" && cp "$here/types.c" "$work" && cd "$work"
make() { # NAME TRIPLE MACHINE EXTRA...
  local name=$1 triple=$2 machine=$3; shift 3
  clang$V --target=$triple -ffreestanding -fms-extensions -Wno-everything -D_M_$machine -g -gcodeview -O1 -fdebug-compilation-dir=. -c types.c -o "$name.obj"
  lld-link$V /nologo /dll /nodefaultlib /debug /opt:noref /implib:x.lib /entry:DllEntry /base:0x10000000 "$@" /out:"$name.dll" /pdb:types-$name.pdb /pdbaltpath:types.pdb /pdbsourcepath:/tmp/rekall-pdb "$name.obj"
  llvm-pdbutil$V dump -types -publics -globals -section-headers -summary types-$name.pdb | gzip -9n > types-$name.truth.txt.gz
  cp types-$name.pdb types-$name.truth.txt.gz "$here"
}
make amd64 x86_64-pc-windows-msvc X64
make i386 i686-pc-windows-msvc IX86 /safeseh:no
rm -rf "$work"
