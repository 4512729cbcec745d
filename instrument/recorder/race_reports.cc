// ThreadSanitizer calls this for each of its reports where its runtime is a shared library: then
// the preload is enough. In a program that is linked with the pairing library, or that defines the
// function itself, that definition comes first.
#include "instrument/recorder/findings.h"
#include "instrument/recorder/rules.h"
#include "instrument/thread_sanitizer/report_blocks.h"

using namespace tailback;

TAILBACK_EXPORT void __tsan_on_report(void* report) {
  contract::Finding* finding = begin_finding(contract::FindingKind::kThreadSanitizer);
  if (!finding) return;
  contract::FindingWriter writer(finding->data);
  write_report(report, writer);
  end_finding(finding, writer.size());
}
