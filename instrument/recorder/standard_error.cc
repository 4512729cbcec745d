// A program's output on standard error, where it contains a finding: Python's interpreter warns of
// coroutines that were never awaited. The text is written first, unchanged, and only then examined.
#include <string.h>
#include <unistd.h>

#include "instrument/contract/finding_writer.h"
#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/findings.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

// libpython, or a python with the library built in, defines this name; other programs do not.
extern "C" __attribute__((weak)) int Py_IsInitialized();

namespace {

constexpr char kWarning[] = ": RuntimeWarning: coroutine '";
constexpr size_t kLongestText = 4096;

TAILBACK_COLD void look_for_warning(const char* text, size_t size) {
  if (size > kLongestText) size = kLongestText;
  if (!memmem(text, size, kWarning, sizeof kWarning - 1)) return;
  contract::Finding* finding = begin_finding(contract::FindingKind::kNeverAwaited);
  if (!finding) return;
  contract::FindingWriter writer(finding->data);
  writer.add_bytes(contract::BlockKind::kText, text, static_cast<uint32_t>(size));
  publish_finding(finding, writer.size());
}

TAILBACK_INLINE ssize_t recorded_write(uint64_t call_site, int fd, const void* buffer,
                                       size_t count) {
  CallScope scope(call_site, Function::write, fd, buffer, count);
  ssize_t result = next.write(fd, buffer, count);
  while (__builtin_expect(scope.interrupted_by_pause(result), 0)) {
    result = next.write(fd, buffer, count);
  }
  return result;
}

}  // namespace

TAILBACK_EXPORT ssize_t write(int fd, const void* buffer, size_t count) {
  const ssize_t result = recorded_write(CALL_SITE, fd, buffer, count);
  if (__builtin_expect(fd == STDERR_FILENO && Py_IsInitialized, 0) && result > 0) {
    look_for_warning(static_cast<const char*>(buffer), static_cast<size_t>(result));
  }
  return result;
}
