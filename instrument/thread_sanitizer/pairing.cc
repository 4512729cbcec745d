// The pairing library: passes ThreadSanitizer's reports on to the recorder, and does nothing
// without one. The function is not weak: otherwise ThreadSanitizer's own, which is weak and empty,
// would come first where its runtime is linked in.
#include "instrument/contract/record_contract.h"
#include "instrument/thread_sanitizer/report_blocks.h"

extern "C" {
// The recorder's.
__attribute__((weak)) char* tailback_begin_finding(uint32_t version, uint32_t kind);
__attribute__((weak)) void tailback_end_finding(char* data, uint32_t size);

__attribute__((visibility("default"))) void __tsan_on_report(void* report) {
  using namespace tailback;
  if (!tailback_begin_finding || !tailback_end_finding) return;
  char* data = tailback_begin_finding(
      contract::kVersion, static_cast<uint32_t>(contract::FindingKind::kThreadSanitizer));
  if (!data) return;
  contract::FindingWriter writer(data);
  write_report(report, writer);
  tailback_end_finding(data, writer.size());
}
}
