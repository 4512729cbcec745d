// What ThreadSanitizer prints: of programs that give their findings to nobody else.
//
// Written after the text of gcc 12's runtime and clang 14's (compiler-rt, tsan_report.cpp), which
// are alike but for the columns of lines and the build ids of modules.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/segment/findings.h"

namespace tailback {

// As the parts of a report that is read in the process, but each frame is told by its words.
struct TextReport {
  int pid = 0;
  std::vector<FindingPart> parts;
};

// Takes a log as it is written, in pieces of any size. Whatever makes no sense is left out: a log
// is text like any other, which the program may have written itself. Keeps a bounded part of it.
class ReportText {
 public:
  void add(std::string_view more);
  // No more is coming: a report that was cut short counts as far as it goes.
  void finish();
  // The next whole report.
  std::optional<TextReport> next();

 private:
  void take_line(std::string_view colored);
  void begin_report(std::string_view line);
  void end_report();
  void take_heading(std::string_view line);
  void take_access(std::string_view line);
  void take_location(std::string_view line);
  void take_thread(std::string_view line);
  void take_mutex(std::string_view line);
  void take_cycle(std::string_view line);
  void take_frame(std::string_view line);
  FindingPart& begin_part(contract::BlockKind kind);
  void use_main_thread();

  std::string rest_;          // of a line whose end is yet to come
  bool is_too_long_ = false;  // that line
  std::optional<TextReport> report_;
  std::optional<size_t> part_;  // whose frames follow
  bool uses_main_thread_ = false;
  std::deque<TextReport> ready_;
};

}  // namespace tailback
