/* A library with every kind of symbol: exported, hidden, static, weak, read-only, zeroed, thread-local, an indirect function. */
int exported_data = 7;
int exported_zero[300];
const int exported_constant = 9;
static int static_data = 11;
static int static_zero[40];
__thread int thread_local_data = 3;
__attribute__((weak)) int weak_function(int x) { return x + static_data; }
static __attribute__((noinline)) int static_function(int x) { return x * static_zero[x]; }
__attribute__((visibility("hidden"))) int hidden_function(int x) { return static_function(x) + exported_data; }
int exported_function(int x) { return hidden_function(x) + exported_constant + thread_local_data; }
extern int undefined_function(int);
int calls_undefined(int x) { return undefined_function(x); }
static int chosen(int x) { return x; }
static void *choose(void) { return chosen; }
int indirect(int) __attribute__((ifunc("choose")));
