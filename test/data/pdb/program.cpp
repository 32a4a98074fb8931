// What a private PDB has and a public one has not: static functions and variables, classes with member functions; see make.sh. No library, no system header.
namespace shapes {
enum Color : unsigned char { Red = 1, Green, Blue };

class Shape {
public:
  Shape(int width, int height) : width(width), height(height), color(Red) { ++count; }
  virtual ~Shape() { --count; }
  virtual int area() const { return width * height; }
  int scaled(unsigned char factor, const Shape *other) const;
  static int living() { return count; }
  static int count;

protected:
  int width, height;
  Color color;
};

struct Named {
  const char *name;
  virtual const char *label() const { return name; }
};

class Box : public Shape, public Named {
public:
  Box(int width, int height, int depth) : Shape(width, height), depth(depth) {}
  int area() const override { return width * height * depth; }
  void paint(Color with) { color = with; }

private:
  int depth;
};

int Shape::count = 0;
int Shape::scaled(unsigned char factor, const Shape *other) const { return area() * factor + (other ? other->area() : 0); }
} // namespace shapes

void operator delete(void *) noexcept {}
void operator delete(void *, decltype(sizeof 0)) noexcept {}

struct Request {
  unsigned long long id;
  int (*done)(Request *, long status);
};
typedef Request REQUEST;

static shapes::Box *current;
static volatile long pending = 3;
static REQUEST requests[4];

static __attribute__((noinline)) int complete(Request *request, long status) {
  static int completed = 0;
  pending -= status;
  return ++completed + (int)request->id;
}
static __attribute__((noinline)) int complete(Request *request, long status, bool quiet) {
  static int completed = 100;
  return quiet ? 0 : ++completed + complete(request, status);
}
static __attribute__((noinline)) double mean(const float *values, unsigned count, ...) { return count ? values[0] / count : pending; }
template <typename T> __attribute__((noinline)) T largest(T a, T b) { return a > b ? a : b; }
#ifdef _M_IX86
static __attribute__((noinline)) int __stdcall standard(int a, REQUEST *b) { return a + (int)b->id; }
static __attribute__((noinline)) int __fastcall fast(int a, int b) { return a - b + (int)pending; }
#endif

extern "C" {
int helper(REQUEST *request, int (*callback)(int), const wchar_t *text);
int _fltused;
static __attribute__((noinline)) int _underscored(int x) { return x + (int)pending; }

int Entry(void *module, unsigned reason, void *reserved) {
  shapes::Box box(1, 2, (int)reason);
  current = &box;
  box.paint(shapes::Blue);
  requests[0].done = complete;
  float values[] = {(float)reason};
  int sum = box.scaled(3, current) + shapes::Shape::living() + complete(requests, 1, reserved != 0) + (int)mean(values, 1) + _underscored((int)reason);
#ifdef _M_IX86
  sum += standard(sum, requests) + fast(sum, 2);
#endif
  return sum + largest<int>(sum, 3) + (int)largest<long long>(sum, 4) + helper(requests, nullptr, L"text") + (module == nullptr) + *box.label();
}
}
