// ring_loops KIND STALLS, static_ring_loops KIND STALLS: loops on io_uring. "permitted" tells by
// its status whether the machine lets programs have a ring at all.
#include <liburing.h>
#include <stdlib.h>

#include "tests/integration/targets/loops/iterations.h"

int main(int argc, char** argv) {
  std::vector<loops::Kind> kinds = loops::ring_loops();
  kinds.push_back({"permitted", [](int) {
                     io_uring ring;
                     exit(io_uring_queue_init(8, &ring, 0) == 0 ? 0 : 1);
                   }});
  return loops::run_kind(kinds, argc, argv);
}
