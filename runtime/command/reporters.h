// The reporters that the options ask for, and what they are not to tell.
#pragma once

#include <memory>
#include <vector>

#include "runtime/command/options.h"
#include "runtime/report/reporter.h"
#include "runtime/suppress/rule.h"

namespace tailback {

// The rules of --suppressions; none without. Throws RulesFileError.
std::vector<Rule> suppressions(const ObserverOptions& options);

// Opens the files that they write. Throws ReportFileError.
std::unique_ptr<Reporter> make_reporters(const ObserverOptions& options);

}  // namespace tailback
