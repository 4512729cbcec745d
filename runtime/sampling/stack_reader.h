// Makes frames of what a look at a thread has read: the native ones, those that an interpreter
// runs, and which of them is to blame. Not to be shared by threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/explain/culprit.h"
#include "runtime/sampling/sample.h"
#include "runtime/symbolize/symbolizer.h"
#include "runtime/unwind/unwinder.h"
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
  explicit StackReader(CulpritRule rule) : rule_(std::move(rule)), unwinder_(make_unwinder()) {}

  // Of a sample that has a snapshot, as both are.
  ReadStack read(int pid, const Sample& sample);
  // Without what an interpreter runs.
  std::vector<Frame> read_native(int pid, const Sample& sample);

  const CulpritRule& rule() const { return rule_; }
  Unwinder& unwinder() { return *unwinder_; }
  Symbolizer& symbolizer() { return symbolizer_; }

 private:
  CulpritRule rule_;
  std::unique_ptr<Unwinder> unwinder_;
  Symbolizer symbolizer_;
};

}  // namespace tailback
