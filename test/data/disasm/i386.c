/* Source of i386.hex: gcc -m32 -O2 -fno-pic -ffreestanding -msse2 -fcf-protection=none -c; the bytes of .text as they are before linking. */
typedef unsigned int u32; typedef unsigned long long u64; typedef unsigned char u8;
extern int table[]; extern u32 counter; extern u8 flag; extern void (*hook)(int); extern int other(int, const char *);
struct node { struct node *next; int value; u64 wide; u8 small : 3; };
u32 hash(const u8 *p, u32 n) { u32 h = 0x811c9dc5; while (n--) { h ^= *p++; h *= 0x01000193; } return h; }
int walk(struct node *n, int limit) { int sum = 0; for (; n && limit > 0; n = n->next, limit--) { sum += n->value + table[n->value & 15]; if (n->small > 2) counter++; } return sum; }
u64 divide(u64 a, u32 b) { return (a << 7) / (b | 1u) + (a >> 33); }
int choose(int x) { switch (x) { case 0: return other(1, "a"); case 1: return 7; case 2: hook(3); return 5; case 3: return table[1]; case 4: return 9; case 5: return other(x, "b") * 3; case 6: return -2; default: return flag ? x : -x; } }
void copy(u8 *d, const u8 *s, u32 n) { __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) :: "memory"); }
double scale(double a, float b) { return a * b + 1.5; }
u32 atomic(u32 *p, u32 v) { __sync_fetch_and_add(p, v); return __sync_val_compare_and_swap(p, v, v + 1); }
void segment(void) { __asm__ volatile("movl %%fs:0x14, %%eax; movw %%gs:(%%ebx), %%cx; lcall $0x33, $0x12345678; outb %%al, $0x80; loop .; jecxz .; enter $8, $1; bound %%eax, (%%edi); aaa; les (%%esi), %%eax; pushal; popal; iret; .byte 0x66; call .+0x20" ::: "eax", "ecx"); }
