// Makes frames of what a sample of a thread has read: the native ones, those that an interpreter
// runs, and which of them is to blame. The analyzers share one; it serves one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/explain/culprit.h"
#include "runtime/sampling/sample.h"
#include "runtime/sampling/stack_source.h"
#include "runtime/values/frame.h"

namespace tailback {

struct ReadStack {
  std::vector<Frame> frames;  // innermost first
  size_t culprit = 0;
  bool complete = false;
  std::string note;         // what limits it
  bool unreadable = false;  // it runs an interpreter whose frames can't be read: `note` says why
};

class StackReader {
 public:
  explicit StackReader(CulpritRule rule, std::unique_ptr<StackSource> source = make_stack_source())
      : rule_(std::move(rule)), source_(std::move(source)) {}

  // Of a sample that has a snapshot, as both are.
  ReadStack read(int pid, const Sample& sample);
  // `paused`: the thread was running.
  ReadStack read(int pid, const ModuleMap& modules, const RawStack& raw,
                 const std::vector<InterpreterStack>& interpreted, bool paused);
  // Without what an interpreter runs.
  std::vector<Frame> read_native(int pid, const Sample& sample);

  // The function that a call returns to. Of several that are inlined there, the one to blame: it
  // says more than std::mutex::lock does. Without function and module if nothing is known.
  Frame caller(int pid, const ModuleMap& modules, uint64_t call_site);

  // Index of the frame by which a callback begins, of `inner` frames that lie within a loop's
  // dispatch: see find_entry().
  std::optional<size_t> entry_of(const std::vector<Frame>& stack, size_t inner) const {
    return find_entry(stack, inner, rule_);
  }
  size_t culprit_of(const std::vector<Frame>& stack) const { return find_culprit(stack, rule_); }
  StackSource& source() { return *source_; }

 private:
  CulpritRule rule_;
  std::unique_ptr<StackSource> source_;
};

}  // namespace tailback
