#include "types.h"

struct shared { long long other; int more; };
struct shared second_shared;
struct outer *pointer_to_outer;
