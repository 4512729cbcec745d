// Writes a session as JSON Lines: one record per line, each with one write(2) as soon as it is
// known, so that a crash leaves at most a cut last line. FORMAT.md describes the fields.
#pragma once

#include <string>

#include "runtime/report/report_file.h"
#include "runtime/report/reporter.h"

namespace tailback {

class JsonlReporter final : public Reporter {
 public:
  // "-" is standard output. Throws ReportFileError.
  explicit JsonlReporter(const std::string& path,
                         ReportFile::Complain complain = ReportFile::say_on_standard_error);

  void report(const Record& record) override;

  const ReportFile& file() const { return file_; }

 private:
  ReportFile file_;
};

}  // namespace tailback
