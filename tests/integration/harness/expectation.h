// The expected reports that stand in the demos' sources (demos/README.md), read and compared.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace tailback::test {

struct Expectation {
  enum class Kind { kStall, kStuck, kRace, kDeadlock, kLockOrder, kNeverAwaited, kNothing };

  Kind kind = Kind::kNothing;
  std::string of;                   // the only program of which it is expected; empty: of all
  std::string on;                   // the line that causes it
  std::vector<std::string> causes;  // each list: any of these is right; empty: not said
  std::vector<std::string> calls;   // "none": in no call
  std::vector<std::string> objects;
  std::string contributor;
  uint64_t contributor_count = 0;
  std::string function;
  std::string file;  // name of the source file it stands in
  int first_line = 0;
  int last_line = 0;
  std::optional<double> length_ms;
  std::optional<uint64_t> pending_events;
  std::string place;  // "sleep_callbacks.cc:16", for people
};

// How it is named in a test's parameters: by its place.
std::ostream& operator<<(std::ostream& stream, const Expectation& expectation);

// All expectations of a source file, in its order. Throws std::runtime_error ("file:line: what")
// for one that can't be read.
std::vector<Expectation> read_expectations(const std::filesystem::path& source);
std::vector<Expectation> parse_expectations(std::string_view text, const std::string& file);

// In what a reported stall (a line of a recording) differs from what is expected: cause, call,
// object, contributors and the culprit frame. Not the length, which the caller knows.
std::vector<std::string> differences(const Expectation& expected, const nlohmann::json& stall);

// The frames to blame of a report that has several stacks, each with a "stack" and the index of its
// "culprit": the threads of a deadlock, the steps of a lock order, the accesses of a race. Fails
// unless each is expected, and each expectation is met.
std::vector<std::string> differences_in_places(const std::vector<Expectation>& expected,
                                               const nlohmann::json& stacks);

// Of a coroutine that was never awaited: its name is the expected function, the blamed line that
// which made it.
std::vector<std::string> differences_in_coroutine(const Expectation& expected,
                                                  const nlohmann::json& never_awaited);

// Whether a reported length is the true one within 5 ms and 1 %.
bool length_is(double reported_ms, double true_ms);

}  // namespace tailback::test
