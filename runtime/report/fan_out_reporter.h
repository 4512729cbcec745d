// Passes every record on to several reporters, in the order in which they were added.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "runtime/report/reporter.h"

namespace tailback {

class FanOutReporter final : public Reporter {
 public:
  void add(std::unique_ptr<Reporter> reporter) { reporters_.push_back(std::move(reporter)); }
  bool empty() const { return reporters_.empty(); }

  void report(const Record& record) override {
    for (const auto& reporter : reporters_) reporter->report(record);
  }

 private:
  std::vector<std::unique_ptr<Reporter>> reporters_;
};

}  // namespace tailback
