# Source of i8086.hex: as --32 i8086.s, objcopy -O binary -j .text. Loaded at 0x7c00, as a boot sector is.
.code16
start:
  cli
  xorw %ax, %ax
  movw %ax, %ds
  movw %ax, %ss
  movw $0x7c00, %sp
  jmp over
message: .asciz "loading"
over:
  movw $message+0x7c00, %si
  cld
print:
  lodsb
  orb %al, %al
  jz done
  movb $0xe, %ah
  movw $7, %bx
  int $0x10
  jmp print
done:
  movb $0x80, %dl
  int $0x13
  jc failed
  call enable_a20
  lgdtl 0x7d00
  movl %cr0, %eax
  orl $1, %eax
  movl %eax, %cr0
  ljmpl $8, $0x100000
enable_a20:
  inb $0x92, %al
  testb $2, %al
  jnz 1f
  orb $2, %al
  outb %al, $0x92
1: ret
failed:
  movw 0x6c(%bx,%si), %cx
  movl %es:4(%bp,%di), %edx
  loop failed
  hlt
  jmp start
  rep movsw
  jcxz failed
