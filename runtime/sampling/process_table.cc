#include "runtime/sampling/process_table.h"

namespace tailback {

void ProcessTable::forget(int pid) {
  modules_.forget(pid);
  interpreters_.forget(pid);
}

}  // namespace tailback
