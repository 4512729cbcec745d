// The files that ThreadSanitizer writes its reports to (its option log_path), read as they grow:
// one for each process, PREFIX.PID (or PREFIX.PROGRAM.PID).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/thread_sanitizer/report_text.h"

namespace tailback {

class ReportLogs {
 public:
  // What stands in the files already is not read. `pass_on`: a descriptor that all text is written
  // to as well; -1: none.
  ReportLogs(std::string prefix, int pass_on);

  // The reports that have become whole since the last look, as far as it went: of a log that grows
  // fast the next one reads on.
  std::vector<TextReport> look();
  // The same, and what will not become whole any more.
  std::vector<TextReport> finish();

 private:
  struct Log {
    uint64_t read = 0;  // bytes
    ReportText text;
  };

  std::vector<std::string> names() const;
  // False: all that there is has been read.
  bool read_more(const std::string& name, Log& log, std::vector<TextReport>& reports) const;

  std::string folder_;
  std::string base_;
  int pass_on_;
  std::map<std::string, Log> logs_;  // by name
};

// The value of log_path in ThreadSanitizer's options (the variable TSAN_OPTIONS). Empty: there is
// none, or one that is no file ("stderr", "stdout").
std::string log_path_in(std::string_view options);

}  // namespace tailback
