/* What a kernel's PDB has in kinds of types and symbols; see make.sh. No library, no system header. */
typedef __WCHAR_TYPE__ wchar_t;
typedef unsigned char UCHAR;
typedef unsigned short WCHAR16;
typedef unsigned long long UINT64;

typedef struct _LIST_NODE {
  struct _LIST_NODE *Flink, *Blink;
} LIST_NODE;

enum STATE { StateNone = 0, StateRunning = 5, StateGone = -1, StateBig = 0x12345678 };
enum _TINY { TinyZero, TinyFull = 255 };

typedef union _LARGE {
  struct {
    unsigned LowPart;
    int HighPart;
  };
  struct {
    unsigned LowPart;
    int HighPart;
  } u;
  long long QuadPart;
} LARGE;

typedef struct _PROCESS {
  LIST_NODE Links;
  LARGE CreateTime;
  UINT64 UniqueId;
  UCHAR ImageFileName[15];
  UCHAR PriorityClass;
  unsigned Flags : 3;
  unsigned Exiting : 1;
  unsigned Rest : 28;
  UINT64 Wide : 33;
  UINT64 WideRest : 31;
  enum STATE State;
  enum _TINY Tiny;
  WCHAR16 Name[8];
  wchar_t Path[16];
  void *Object;
  const volatile int *Counter;
  int (*Callback)(struct _PROCESS *, int);
  struct _PROCESS *Children[4];
  int Matrix[2][3];
  float Single;
  double Double;
  _Bool Alive;
  char Sign;
  signed char Small;
  short Short;
  unsigned short UShort;
  long Long;
  unsigned long ULong;
  long long LongLong;
  struct _UNKNOWN *Opaque;
  struct {
    int Inner;
  } Unnamed;
} PROCESS;

PROCESS InitialProcess;
LIST_NODE ActiveProcessHead = {&ActiveProcessHead, &ActiveProcessHead};
static int HiddenCount = 7;
const char *Greeting = "Hello, \\world\\ - it's\t100% \x81";
const wchar_t *WideGreeting = L"Wide text";
enum STATE GlobalState;
enum _TINY GlobalTiny;

static __attribute__((noinline)) int Secret(int x) { return x * HiddenCount++; }
int SumOfProcess(PROCESS *p, int n) { return p ? p->State + n + Secret(n) : (int)GlobalState + GlobalTiny; }
#ifdef _M_IX86
int __stdcall StdCall(int a, int b) { return a + b; }
int __fastcall FastCall(int a, int b) { return a - b; }
#endif
int _fltused;
int DllEntry(void *module, unsigned reason, void *reserved) {
  (void)module, (void)reserved;
  return SumOfProcess(&InitialProcess, (int)reason) + (Greeting != 0) + (WideGreeting != 0);
}
