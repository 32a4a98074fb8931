#!/bin/sh
# Makes the objects and the layouts (gcc with -m32 support, binutils with zstd; Debian: gcc-multilib dwarfdump llvm).
set -e
cd "$(dirname "$0")"
flags="-O1 -ffile-prefix-map=$PWD=. -fdebug-prefix-map=$PWD=. -gno-record-gcc-switches -gno-variable-location-views -fno-var-tracking -fno-asynchronous-unwind-tables -fcf-protection=none -fno-pic"

# $1 object, $2 objcopy option; the rest goes to gcc. What the reader has no use for is left out, to keep the files small.
object() {
  out=$1; shift; pack=$1; shift
  gcc $flags "$@" -c types.c -o "$out"
  objcopy $pack -R .debug_aranges -R .rela.debug_aranges -R .rel.debug_aranges -R .debug_frame -R .rela.debug_frame -R .rel.debug_frame -R .comment "$out"
}
object amd64-dwarf5.o '' -gdwarf-5
object amd64-dwarf4-types.o '' -gdwarf-4 -fdebug-types-section
object amd64-dwarf5-zlib.o --compress-debug-sections=zlib -gdwarf-5
object amd64-dwarf5-zstd.o --compress-debug-sections=zstd -gdwarf-5
object i386-dwarf2.o '' -m32 -gdwarf-2 -gstrict-dwarf
object i386-dwarf3-zdebug.o --compress-debug-sections=zlib-gnu -m32 -gdwarf-3
gcc $flags -gdwarf-5 -mcmodel=kernel -static -nostdlib -Wl,-e,use,--build-id=none,-z,max-page-size=64,-Ttext=0xffffffff81000000 types.c other.c -o amd64-linked.elf
objcopy -R .debug_aranges -R .debug_frame -R .comment amd64-linked.elf
# What libdwarf's and LLVM's programs print of them.
dwarfdump -di i386-dwarf2.o > i386-dwarf2.libdwarf.txt
dwarfdump -di amd64-dwarf5.o > amd64-dwarf5.libdwarf.txt
llvm-dwarfdump amd64-dwarf5.o > amd64-dwarf5.llvm.txt
gcc -o truth truth.c && ./truth > amd64.json
gcc -m32 -o truth truth.c && ./truth > i386.json
rm truth
