/* The second module of program.cpp: in C, with static names that the first one has, too. */
struct Request;
typedef __WCHAR_TYPE__ wchar_t;

static volatile int pending = 5;
static const unsigned char table[16] = {1, 2, 3};

static __attribute__((noinline)) int complete(const wchar_t *text) { return text ? *text + pending : table[pending & 15]; }

int helper(struct Request *request, int (*callback)(int), const wchar_t *text) { return (request != 0) + (callback ? callback(1) : complete(text)); }

/* Of the program's own: no library brings them. */
void *memset(void *to, int value, __SIZE_TYPE__ length) {
  for (volatile char *at = to; length; length--) *at++ = (char)value;
  return to;
}
