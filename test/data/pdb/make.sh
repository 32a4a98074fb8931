#!/bin/bash
# Makes types-ARCH.pdb (of types.c) and program-ARCH.pdb (of program.cpp and helper.c; of one the library, too), and beside each what llvm-pdbutil says of it: the truth that the
# tests compare with. Needs clang, lld and llvm (Debian: clang-14 lld-14 llvm-14). Built in a folder of a fixed name: PDBs keep the paths they were made in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
V=${LLVM:--14}
work=/tmp/rekall-pdb
rm -rf "$work" && mkdir "$work" && cp "$here"/*.c "$here"/*.cpp "$work" && cd "$work"
link() { # SOURCE NAME ENTRY LINK-FLAGS... -- OBJECTS...
  local pdb=$1-$2.pdb alt=$1.pdb out=$2 entry=$3 flags=(); shift 3
  while [ "$1" != -- ]; do flags+=("$1"); shift; done; shift
  lld-link$V /nologo /dll /nodefaultlib /debug /opt:noref /implib:x.lib /entry:$entry /base:0x10000000 "${flags[@]}" /out:"$out.dll" /pdb:$pdb /pdbaltpath:$alt /pdbsourcepath:/tmp/rekall-pdb "$@"
}
truth() { # PDB WHAT...
  local pdb=$1; shift
  llvm-pdbutil$V dump "$@" $pdb | gzip -9n > ${pdb%.pdb}.truth.txt.gz
  cp $pdb ${pdb%.pdb}.truth.txt.gz "$here"
}
make() { # NAME TRIPLE MACHINE LINK-FLAGS...
  local name=$1 triple=$2 machine=$3; shift 3
  local flags="--target=$triple -ffreestanding -fms-extensions -Wno-everything -D_M_$machine -g -gcodeview -O1 -fdebug-compilation-dir=."
  clang$V $flags -c types.c -o "$name.obj"
  link types $name DllEntry "$@" -- "$name.obj"
  truth types-$name.pdb -types -publics -globals -section-headers -summary
  # Without exceptions, type information and guards of statics nothing of a library is needed.
  clang$V $flags -std=c++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics -c program.cpp -o program.obj
  clang$V $flags -fno-builtin -c helper.c -o helper.obj
  link program $name Entry "$@" /timestamp:1767225600 -- program.obj helper.obj
  truth program-$name.pdb -types -ids -symbols -section-headers -l
}
make amd64 x86_64-pc-windows-msvc X64
cp amd64.dll "$here/program-amd64.dll"
make i386 i686-pc-windows-msvc IX86 /safeseh:no
rm -rf "$work"
