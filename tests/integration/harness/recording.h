// A recording (JSON Lines) as a test reads it, and the laws that every recording obeys.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tailback::test {

using Json = nlohmann::json;

class Recording {
 public:
  // What has been written so far; a last line without its end is left out. No file: no lines.
  // Throws std::runtime_error with file:line if a line is no JSON.
  static Recording read(const std::filesystem::path& path);
  // The same of a text; `name` stands for the file in errors.
  static Recording parse(std::string_view text, const std::string& name);

  const std::vector<Json>& lines() const { return lines_; }
  // Whether the end record is there.
  bool complete() const;
  const Json& session() const { return lines_.at(0); }
  const Json& end() const { return lines_.back(); }

  // The stall lines of one state ("ongoing", "ended", "unfinished").
  std::vector<Json> stalls(std::string_view state) const;
  // The one final line of each stall, in the order they were written.
  std::vector<Json> final_stalls() const;
  std::vector<Json> final_stalls_of(int pid) const;

  std::vector<Json> deadlocks() const;
  // The lines of one type.
  std::vector<Json> of_type(std::string_view type) const;

  // What is wrong with it, one text per fault: lines that the schema refuses, a first line that is
  // no session, a stall without its one final line, counts that don't add up. Of a recording
  // that is not complete only what must hold at any time.
  std::vector<std::string> faults() const;

 private:
  std::vector<Json> lines_;
};

// How a stall reads in a failed test: cause, length, call and stack.
std::string summary(const Json& stall);
std::string summary(const std::vector<Json>& stalls);

// Whether a frame's function is or contains this name, as a whole word.
bool function_is(const Json& frame, std::string_view name);
// Whether the stall's line of advice says this.
bool advises(const Json& stall, std::string_view words);
// Whether any frame of the stack runs a function of this name, or is of a module of this file name
// (a prefix of it, so that versions don't matter).
bool stack_has_function(const Json& stall, std::string_view name);
bool stack_has_module(const Json& stall, std::string_view name);

}  // namespace tailback::test
