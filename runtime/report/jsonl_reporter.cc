#include "runtime/report/jsonl_reporter.h"

#include <utility>

#include "runtime/report/json_record.h"

namespace tailback {

JsonlReporter::JsonlReporter(const std::string& path, ReportFile::Complain complain)
    : file_(path, std::move(complain)) {}

void JsonlReporter::report(const Record& record) {
  file_.append(json_line(record));
}

}  // namespace tailback
