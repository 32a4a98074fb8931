#include "types.h"

struct outer global_outer;
static struct list static_list = { &static_list, &static_list };
extern enum wide external_wide;
enum wide external_wide = HUGE_LABEL;
const char linux_banner[] = "Linux version 0.0.0 (test)\n";

/* A static struct whose name another file uses for something else. */
struct shared { int only_here; };
struct shared first_shared;

int use(struct bits *bits, struct packed *packed, handler_t handler);
int use(struct bits *bits, struct packed *packed, handler_t handler) {
  struct local { int on_stack; } local = { bits->a };
  return handler(&global_outer, linux_banner) + packed->z + local.on_stack + (static_list.next == 0);
}
