// Keeps the records as they come.
#pragma once

#include <vector>

#include "runtime/report/reporter.h"

namespace tailback {

class RecordingReporter final : public Reporter {
 public:
  void report(const Record& record) override { records.push_back(record); }

  template <typename Value>
  std::vector<Value> all() const {
    std::vector<Value> values;
    for (const Record& record : records) {
      if (const auto* const value = std::get_if<Value>(&record)) values.push_back(*value);
    }
    return values;
  }

  std::vector<Record> records;
};

}  // namespace tailback
