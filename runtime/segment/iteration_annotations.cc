#include "runtime/segment/iteration_annotations.h"

#include <cstring>

#include <algorithm>

namespace tailback {

namespace {

// Bytes at the end of the text that begin a UTF-8 character and do not end it.
size_t unfinished_bytes(const std::string& text) {
  constexpr size_t kMostContinuations = 3;
  size_t continuations = 0;
  while (continuations < std::min(text.size(), kMostContinuations) &&
         (static_cast<unsigned char>(text[text.size() - 1 - continuations]) & 0xc0) == 0x80) {
    ++continuations;
  }
  if (continuations == text.size()) return 0;
  const auto first = static_cast<unsigned char>(text[text.size() - 1 - continuations]);
  const size_t needed = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  return continuations < needed ? continuations + 1 : 0;
}

}  // namespace

std::string iteration_name(const char (&text)[contract::kIterationNameBytes]) {
  constexpr size_t kMostBytes = contract::kIterationNameBytes - 1;
  std::string name(text, strnlen(text, kMostBytes));
  if (name.size() == kMostBytes) name.resize(name.size() - unfinished_bytes(name));
  return name;
}

std::string iteration_name(const contract::IterationName& name, uint64_t iteration_begin) {
  const uint64_t tick = name.tick.load(std::memory_order_acquire);
  if (tick < iteration_begin || tick == 0) return {};
  char text[contract::kIterationNameBytes];
  std::memcpy(text, name.text, sizeof text);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (name.tick.load(std::memory_order_relaxed) != tick) return {};
  return iteration_name(text);
}

bool blocking_is_allowed(const contract::ThreadRecord& record) {
  return record.allowed_since.load(std::memory_order_relaxed) != 0;
}

uint64_t allowed_so_far(const contract::ThreadRecord& record, const contract::WaitSite& site,
                        uint64_t iteration_begin, uint64_t now) {
  const uint64_t longest = now - std::min(now, iteration_begin);
  const uint64_t since = record.allowed_since.load(std::memory_order_acquire);
  const uint64_t open = since == 0 ? 0 : now - std::min(now, std::max(since, iteration_begin));
  return std::min(longest, open + std::min(site.allowed_ticks, longest));
}

}  // namespace tailback
