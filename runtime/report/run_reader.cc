#include "runtime/report/run_reader.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "runtime/report/duration_text.h"
#include "runtime/report/line_source.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr size_t kPathColumns = 4096;
constexpr uint64_t kDamageSaid = 5;        // lines per file
constexpr uint64_t kLinesToRecognise = 8;  // a file whose first lines are no records is none
constexpr size_t kTypesNamed = 16;

}  // namespace

struct RunReader::File {
  std::string name;  // escape_for_terminal
  uint64_t line = 0;
  uint64_t records = 0;
  uint64_t damaged = 0;
  // Of the lines before the first record. They are said only once the file is known for a
  // recording.
  std::vector<std::string> held_back;
  bool given_up = false;
  bool in_run = false;
  std::map<std::string, uint64_t> other_types;
};

void RunReader::read(const std::string& path) {
  std::error_code error;
  if (path != "-" && std::filesystem::is_directory(path, error)) {
    read_directory(path);
  } else {
    read_file(path);
  }
}

void RunReader::read_directory(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    // A FIFO of that name would keep us waiting for ever.
    if ((name.ends_with(".jsonl") || name.ends_with(".jsonl.gz")) && it->is_regular_file(ignored)) {
      files.push_back(it->path().string());
    }
  }
  if (error) {
    unsound(fmt::format("{}: {}", escape_for_terminal(path, kPathColumns), error.message()));
  } else if (files.empty()) {
    unsound(fmt::format("{}: the directory holds no *.jsonl or *.jsonl.gz; name the recordings",
                        escape_for_terminal(path, kPathColumns)));
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) read_file(file);
}

void RunReader::read_file(const std::string& path) {
  File file;
  file.name = path == "-" ? "standard input" : escape_for_terminal(path, kPathColumns);
  LineSource source(path);
  std::string line;
  for (bool more = true; more && !file.given_up;) {
    const LineSource::Next next = source.next(line);
    ++file.line;
    switch (next) {
      case LineSource::Next::kLine:
      case LineSource::Next::kCut:
        read_record(file, line, next == LineSource::Next::kCut);
        break;
      case LineSource::Next::kTooLong:
        damaged(file, "the line is too long for a record");
        break;
      case LineSource::Next::kError:
      case LineSource::Next::kEnd:
        more = false;
        break;
    }
  }

  if (!source.error().empty()) {
    const std::string what = fmt::format("{}: {}", file.name, source.error());
    if (source.ended_early() && file.records > 0) {
      say_(what);
    } else {
      unsound(what);
    }
  }
  if (file.records == 0 && !file.given_up && source.error().empty()) {
    unsound(fmt::format("{}: {}; name a file that 'tailback run --json' wrote", file.name,
                        file.damaged == 0 ? "empty" : "not a recording"));
  }
  if (file.records > 0 && file.damaged > kDamageSaid) {
    say_(fmt::format("{}: {} damaged, all stepped over", file.name,
                     count_text(file.damaged, "line is", "lines are")));
  }
  for (const auto& [type, count] : file.other_types) {
    say_(fmt::format("{}: {} of type '{}' stepped over: this version does not know it", file.name,
                     count_text(count, "record", "records"), escape_for_terminal(type, 64)));
  }
  finish_run(file);
}

void RunReader::read_record(File& file, std::string_view line, bool last_and_cut) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  try {
    accept(file, parse_record(line));
  } catch (const UnknownType& unknown) {
    if (file.other_types.size() < kTypesNamed || file.other_types.contains(unknown.what())) {
      ++file.other_types[unknown.what()];
    }
    accept_line(file);
  } catch (const UnknownSchema& unknown) {
    unsound(fmt::format(
        "{}:{}: schema {} is not known to tailback {} (it reads schemas 1 and 2); read it "
        "with the version that wrote it",
        file.name, file.line, escape_for_terminal(unknown.what(), 40), TAILBACK_VERSION));
    file.given_up = true;
  } catch (const MalformedRecord& malformed) {
    if (last_and_cut && file.records > 0) {
      say_(fmt::format("{}:{}: the last line is cut off and left out", file.name, file.line));
    } else {
      damaged(file, malformed.what());
    }
  }
}

void RunReader::accept(File& file, const Record& record) {
  const bool is_start = std::holds_alternative<SessionStart>(record);
  if (is_start) finish_run(file);  // files may have been put one after the other
  if (!file.in_run) {
    if (!is_start) {
      say_(fmt::format("{}:{}: the record that begins a session is missing", file.name, file.line));
    }
    file.in_run = true;
    ++runs_;
  }
  sink_.report(record);
  if (std::holds_alternative<SessionEnd>(record)) file.in_run = false;
  accept_line(file);
}

// A line that is a record: what came before it in the file was damage.
void RunReader::accept_line(File& file) {
  ++file.records;
  for (const std::string& complaint : file.held_back) unsound(complaint);
  file.held_back.clear();
}

void RunReader::damaged(File& file, const std::string& what) {
  ++file.damaged;
  if (file.damaged <= kDamageSaid) {
    const std::string complaint = fmt::format("{}:{}: {}; the line is left out", file.name,
                                              file.line, escape_for_terminal(what, 200));
    if (file.records > 0) {
      unsound(complaint);
    } else {
      file.held_back.push_back(complaint);
    }
  }
  if (file.records == 0 && file.damaged == kLinesToRecognise) {
    unsound(fmt::format("{}: not a recording; name a file that 'tailback run --json' wrote",
                        file.name));
    file.given_up = true;
  }
}

void RunReader::finish_run(File& file) {
  if (!file.in_run) return;
  file.in_run = false;
  say_(
      fmt::format("{}: the recording ends without an end record: the observer was killed or is "
                  "still at work",
                  file.name));
  sink_.cut_short();
}

void RunReader::unsound(const std::string& line) {
  sound_ = false;
  say_(line);
}

}  // namespace tailback
