#include "tests/integration/harness/recording.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "tests/integration/harness/test_directory.h"
#include "tests/schema/report_schema.h"

namespace tailback::test {
namespace {

bool is_final(const Json& line) {
  return line.value("type", "") == "stall" && line.value("state", "") != "ongoing";
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

void check_order(const std::vector<Json>& lines, std::vector<std::string>& faults) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string type = lines[i].value("type", "");
    if ((type == "session") != (i == 0)) {
      faults.push_back("line " + std::to_string(i + 1) + ": the session record must be the first");
    }
    if (type == "end" && i + 1 != lines.size()) {
      faults.push_back("line " + std::to_string(i + 1) + ": something follows the end record");
    }
  }
}

void check_final_lines(const std::vector<Json>& lines, bool complete,
                       std::vector<std::string>& faults) {
  std::map<uint64_t, int> finals;
  for (const Json& line : lines) {
    if (line.value("type", "") != "stall") {
      continue;
    }
    const uint64_t id = line.value("id", uint64_t{0});
    if (finals[id] > 0) {
      faults.push_back("stall " + std::to_string(id) + ": a line follows its final one");
    }
    finals[id] += is_final(line) ? 1 : 0;
  }
  for (const auto& [id, count] : finals) {
    if (complete && count == 0) {
      faults.push_back("stall " + std::to_string(id) + ": has no final line");
    }
  }
}

void check_counts(const Recording& recording, std::vector<std::string>& faults) {
  const std::vector<Json> finals = recording.final_stalls();
  const Json& end = recording.end();
  double stalled = 0;
  for (const Json& stall : finals) {
    stalled += stall.value("duration_ms", 0.0);
  }
  const Json counts = end.value("counts", Json::object()).value("stall", Json::object());
  if (counts.value("reported", uint64_t{0}) != finals.size()) {
    faults.push_back("the end record counts " + std::to_string(counts.value("reported", 0)) +
                     " stalls, there are " + std::to_string(finals.size()));
  }
  if (std::abs(end.value("stalled_ms", 0.0) - stalled) > 1) {
    faults.push_back("the end record's stalled_ms is not the sum of the stalls");
  }
  const Json losses = end.value("losses", Json::object());
  const bool all_explained = std::all_of(finals.begin(), finals.end(), [](const Json& stall) {
    return stall.value("samples", 0) > 0;
  });
  for (const auto& [loss, count] : losses.items()) {
    // A look that failed is no loss where others succeeded.
    if (count != 0 && !(loss == "samples" && all_explained)) {
      faults.push_back("the end record tells of losses: " + loss + " " + count.dump());
    }
  }
}

}  // namespace

Recording Recording::read(const std::filesystem::path& path) {
  return parse(file_text(path), path.string());
}

Recording Recording::parse(std::string_view text, const std::string& name) {
  Recording recording;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    Json line = Json::parse(text.substr(0, end), nullptr, false);
    if (line.is_discarded() || !line.is_object()) {
      throw std::runtime_error(name + ":" + std::to_string(recording.lines_.size() + 1) +
                               ": not a JSON object: " + std::string(text.substr(0, end)));
    }
    recording.lines_.push_back(std::move(line));
    text.remove_prefix(end + 1);
  }
  return recording;
}

bool Recording::complete() const {
  return !lines_.empty() && lines_.back().value("type", "") == "end";
}

std::vector<Json> Recording::stalls(std::string_view state) const {
  std::vector<Json> result;
  for (const Json& line : lines_) {
    if (line.value("type", "") == "stall" && line.value("state", "") == state) {
      result.push_back(line);
    }
  }
  return result;
}

std::vector<Json> Recording::final_stalls() const {
  std::vector<Json> result;
  std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(result), is_final);
  return result;
}

std::vector<Json> Recording::final_stalls_of(int pid) const {
  std::vector<Json> result = final_stalls();
  std::erase_if(result, [pid](const Json& stall) { return stall.value("pid", 0) != pid; });
  return result;
}

std::vector<Json> Recording::deadlocks() const {
  std::vector<Json> result;
  std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(result),
               [](const Json& line) { return line.value("type", "") == "deadlock"; });
  return result;
}

std::vector<Json> Recording::of_type(std::string_view type) const {
  std::vector<Json> result;
  for (const Json& line : lines_) {
    if (line["type"] == type) {
      result.push_back(line);
    }
  }
  return result;
}

std::vector<std::string> Recording::faults() const {
  std::vector<std::string> faults;
  for (size_t i = 0; i < lines_.size(); ++i) {
    for (const std::string& fault : schema_faults(lines_[i])) {
      faults.push_back("line " + std::to_string(i + 1) + ": " + fault);
    }
  }
  check_order(lines_, faults);
  check_final_lines(lines_, complete(), faults);
  if (complete()) {
    check_counts(*this, faults);
  }
  return faults;
}

std::string summary(const Json& stall) {
  std::string text = stall.value("state", "?") + " " + stall.value("cause", "?") + " " +
                     stall["duration_ms"].dump() + " ms, pid " + stall["pid"].dump() + ", tid " +
                     stall["tid"].dump() + ", call " + stall["call"].dump() + ", loop " +
                     stall["loop"].dump() + "\n";
  size_t index = 0;
  for (const Json& frame : stall["stack"]) {
    text += stall["culprit"] == index++ ? "  → " : "    ";
    text += frame["function"].dump() + " " + frame["file"].dump() + ":" + frame["line"].dump() +
            " " + frame["module"].dump() + "\n";
  }
  return text;
}

std::string summary(const std::vector<Json>& stalls) {
  std::string text = std::to_string(stalls.size()) + " stalls\n";
  for (const Json& stall : stalls) {
    text += summary(stall);
  }
  return text;
}

bool function_is(const Json& frame, std::string_view name) {
  if (!frame["function"].is_string()) {
    return false;
  }
  const std::string& function = frame["function"].get_ref<const std::string&>();
  for (size_t at = function.find(name); at != std::string::npos; at = function.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || !is_word(function[at - 1])) &&
        (end == function.size() || !is_word(function[end]))) {
      return true;
    }
  }
  return false;
}

bool advises(const Json& stall, std::string_view words) {
  return stall["advice"].get<std::string>().find(words) != std::string::npos;
}

bool stack_has_function(const Json& stall, std::string_view name) {
  const Json& stack = stall["stack"];
  return std::any_of(stack.begin(), stack.end(),
                     [name](const Json& frame) { return function_is(frame, name); });
}

bool stack_has_module(const Json& stall, std::string_view name) {
  const Json& stack = stall["stack"];
  return std::any_of(stack.begin(), stack.end(), [name](const Json& frame) {
    return frame["module"].is_string() && std::filesystem::path(frame["module"].get<std::string>())
                                              .filename()
                                              .string()
                                              .starts_with(name);
  });
}

}  // namespace tailback::test
