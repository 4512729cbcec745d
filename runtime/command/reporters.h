// The reporters that the options ask for.
#pragma once

#include <memory>

#include "runtime/command/options.h"
#include "runtime/report/reporter.h"

namespace tailback {

// Opens the files that they write. Throws ReportFileError.
std::unique_ptr<Reporter> make_reporters(const ObserverOptions& options);

}  // namespace tailback
