/* An executable with everything that the reader knows: exports with and without names, two names for one, a forwarder; imports by name,
 * by number and on first call; a version resource; a debug record; zeros behind its data. */
typedef unsigned long long u64;
__declspec(dllimport) int __stdcall AlphaOne(int);
__declspec(dllimport) int __stdcall AlphaTwo(int);
__declspec(dllimport) int __stdcall BetaByNumber(int);
__declspec(dllimport) int __stdcall LateOne(int);
int _fltused;
volatile int counter = 7;
volatile int zeros[3000];

int first(int a) { return AlphaOne(a) + counter; }
int second(int a) { return AlphaTwo(a) + zeros[a & 1023]; }
int nameless(int a) { return BetaByNumber(a) * 3; }
int late(int a) { return LateOne(a) - 1; }

/* What the linker calls for delay imports; it never runs here. */
void *__stdcall __delayLoadHelper2(const void *descriptor, void *slot) { return (void *)((u64)(__SIZE_TYPE__)descriptor ^ (u64)(__SIZE_TYPE__)slot); }

int __stdcall DllEntry(void *module, unsigned reason, void *reserved) { return first((int)reason) + second(2) + late(3) + AlphaTwo(counter); }
