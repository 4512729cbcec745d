#include "runtime/suppress/baseline.h"

#include <spdlog/fmt/fmt.h>

#include <set>
#include <utility>

#include "runtime/report/duration_text.h"
#include "runtime/report/finding_text.h"
#include "runtime/report/stall_text.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/suppress/rule.h"

namespace tailback {
namespace {

constexpr size_t kNameColumns = 100;

std::string what_it_is(const Culprit& culprit) {
  std::string text =
      fmt::format("{} in {}", word(culprit.cause), culprit_text(culprit, kNameColumns));
  if (!culprit.call.empty()) text += ", " + escape_for_terminal(culprit.call, kNameColumns);
  return text;
}

std::string rule_for(const Culprit& culprit) {
  if (!culprit.fingerprint.empty()) return exact_word("fingerprint", culprit.fingerprint);
  std::string rule = exact_word("cause", word(culprit.cause));
  if (culprit.frame && !culprit.frame->function.empty()) {
    rule += " " + exact_word("function", culprit.frame->function);
  }
  if (!culprit.call.empty()) rule += " " + exact_word("call", culprit.call);
  return rule;
}

}  // namespace

void Baseline::report(const Record& record) {
  constexpr size_t kMostFindings = 10000;
  if (const auto* const stall = std::get_if<Stall>(&record)) {
    (stall->state == StallState::kOngoing ? ongoing_ : final_).add(*stall);
  } else if (const auto* const call = std::get_if<BlockingCall>(&record)) {
    blocking_calls_.add(*call);
  } else if (row_of(kind_of(record)).suppressible && findings_.size() < kMostFindings) {
    const std::string fingerprint(fingerprint_of(record));
    if (!fingerprint.empty()) findings_.emplace(fingerprint, finding_headline(record));
  }
}

std::string Baseline::text() const {
  std::string text = "# Made by 'tailback baseline': what was known when it was made.\n";
  std::set<std::string> written;
  for (const Culprit* culprit : final_.by_total()) {
    const std::string rule = rule_for(*culprit);
    if (!written.insert(rule).second) continue;
    text += fmt::format("\n# {}, the longest {}: {}\n{}\n",
                        count_text(culprit->count, "stall", "stalls"),
                        duration_text(culprit->longest), what_it_is(*culprit), rule);
  }
  for (const Culprit* culprit : ongoing_.by_total()) {
    const std::string rule = rule_for(*culprit);
    if (!written.insert(rule).second) continue;
    text += fmt::format("\n# seen in stalls in progress, {} at most: {}\n{}\n",
                        duration_text(culprit->longest), what_it_is(*culprit), rule);
  }
  for (const BlockingCall* blocking_call : blocking_calls_.by_total()) {
    CulpritTally one;
    one.add(blocking_call->longest);
    const Culprit& culprit = *one.by_total().front();
    const std::string rule = rule_for(culprit);
    if (!written.insert(rule).second) continue;
    text += fmt::format("\n# a blocking call, the longest {}: {}\n{}\n",
                        duration_text(blocking_call->longest.duration), what_it_is(culprit), rule);
  }
  for (const auto& [fingerprint, what] : findings_) {
    const std::string rule = exact_word("fingerprint", fingerprint);
    if (!written.insert(rule).second) continue;
    text += fmt::format("\n# {}\n{}\n", escape_for_terminal(what, 4 * kNameColumns), rule);
  }
  return text;
}

}  // namespace tailback
