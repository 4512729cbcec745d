#include "runtime/explain/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>

namespace tailback {

namespace {

// FNV-1a, 64 bits: stable across builds and machines, which std::hash is not.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0);
  }
  uint64_t value() const { return value_; }

 private:
  void mix(unsigned char byte) {
    value_ ^= byte;
    value_ *= 0x100000001b3u;
  }
  uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace

std::string fingerprint(const Stall& stall) {
  Hash hash;
  hash.add(word(stall.cause));
  if (stall.call) hash.add(stall.call->function);
  constexpr size_t kFrames = 8;
  const size_t begin = stall.culprit < stall.stack.size() ? stall.culprit : 0;
  const size_t end = std::min(stall.stack.size(), begin + kFrames);
  for (size_t i = begin; i < end; ++i) {
    const Frame& frame = stall.stack[i];
    // What an interpreter runs is of a file of its own.
    hash.add(file_name(frame.language == "native" ? frame.module : frame.file));
    // Without a module the offset is an address, which differs from run to run.
    const bool by_offset = frame.function.empty() && !frame.module.empty();
    hash.add(by_offset ? fmt::format("{:x}", frame.offset) : frame.function);
  }
  if (stall.stack.empty()) {
    hash.add(stall.process);
    hash.add(stall.loop.wait);
  }
  return fmt::format("{:016x}", hash.value());
}

std::string fingerprint(std::vector<std::string> parts, Stall all) {
  std::sort(parts.begin(), parts.end());
  for (std::string& part : parts) {
    Frame frame;
    frame.function = std::move(part);
    all.stack.push_back(std::move(frame));
  }
  return fingerprint(all);
}

std::string fingerprint(const Deadlock& deadlock) {
  std::vector<std::string> parts;
  for (const DeadlockedThread& thread : deadlock.threads) {
    if (!thread.in_cycle) continue;
    Stall wait;
    wait.cause = Cause::kLock;
    wait.call = thread.call;
    wait.stack = thread.stack;
    wait.culprit = thread.culprit;
    wait.process = thread.process;
    parts.push_back(fingerprint(wait));
  }
  std::sort(parts.begin(), parts.end());
  Hash hash;
  hash.add(word(deadlock.kind));
  for (const std::string& part : parts) hash.add(part);
  return fmt::format("{:016x}", hash.value());
}

}  // namespace tailback
