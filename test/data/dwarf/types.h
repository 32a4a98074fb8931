/* What C can do to a layout, in little: the tests read the debug information of objects compiled from it. */
typedef unsigned int u32;
typedef unsigned long long u64;

struct list { struct list *next, *prev; };

enum colour { RED, GREEN = 5, VIOLET = -1 };
enum wide { SMALL = 1, HUGE_LABEL = 0x8000000000000001ull };

typedef struct { int counter; } counter_t;
typedef enum { OFF, ON } switch_t;

struct bits {
  u32 a : 3, b : 7;
  u32 c : 22;
  u64 d : 40, e : 24;
  signed char f : 2;
  enum colour g : 8;
  _Bool h : 1;
};

struct __attribute__((packed)) packed {
  char x;
  u32 y;
  u32 z : 5, w : 27;
};

struct outer;
typedef int (*handler_t)(struct outer *, const char *);

struct outer {
  struct list list;
  const volatile u64 flags;
  union {
    void *pointer;
    struct { short low, high; };
    counter_t count;
  };
  struct { int inside; } named;
  char name[16];
  u32 matrix[3][5];
  handler_t handler;
  enum colour colour;
  switch_t power;
  struct bits bits;
  struct undefined *opaque;
  struct packed *chain[4];
  float ratio;
  double precise;
  unsigned char tail[];
};
