// native_loops KIND STALLS [WARM-UP]: an event loop that waits with the kernel's own calls, which
// is held up so many times.
#include "tests/integration/targets/loops/iterations.h"

int main(int argc, char** argv) {
  std::vector<loops::Kind> kinds;
  for (const auto& some : {loops::epoll_loops(), loops::named_loops(), loops::poll_loops(),
                           loops::quiet_loops(), loops::several_loops(), loops::shared_call_sites(),
                           loops::pooled_loops(), loops::unhooked_loops()}) {
    kinds.insert(kinds.end(), some.begin(), some.end());
  }
  return loops::run_kind(kinds, argc, argv);
}
