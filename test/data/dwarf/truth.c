/* Prints the layout that the compiler chose, by looking at memory: the truth the tests compare with. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "types.h"

#define SIZE(type) printf("%s\"%s\": { \"size\": %zu", first++ ? " },\n  " : "{\n  ", #type, sizeof(struct type))
#define MEMBER(type, member) printf(", \"%s\": %zu", #member, offsetof(struct type, member))
#define BITS(type, member) do { \
    union { struct type value; unsigned char bytes[sizeof(struct type)]; } u; \
    memset(&u, 0, sizeof u); \
    u.value.member = -1; \
    int start = -1, count = 0; \
    for (int i = 0; i < (int)sizeof(struct type) * 8; i++) \
      if (u.bytes[i / 8] >> i % 8 & 1) { if (start < 0) start = i; count++; } \
    printf(", \"%s\": [%d, %d]", #member, start, count); \
  } while (0)

int main(void) {
  int first = 0;
  SIZE(list); MEMBER(list, next); MEMBER(list, prev);
  SIZE(bits); BITS(bits, a); BITS(bits, b); BITS(bits, c); BITS(bits, d); BITS(bits, e); BITS(bits, f); BITS(bits, g); BITS(bits, h);
  SIZE(packed); MEMBER(packed, x); MEMBER(packed, y); BITS(packed, z); BITS(packed, w);
  SIZE(outer); MEMBER(outer, list); MEMBER(outer, flags); MEMBER(outer, pointer); MEMBER(outer, low); MEMBER(outer, high);
  MEMBER(outer, count); MEMBER(outer, named); MEMBER(outer, name); MEMBER(outer, matrix); MEMBER(outer, handler);
  MEMBER(outer, colour); MEMBER(outer, power); MEMBER(outer, bits); MEMBER(outer, opaque); MEMBER(outer, chain);
  MEMBER(outer, ratio); MEMBER(outer, precise); MEMBER(outer, tail);
  printf(" }\n}\n");
}
