#include "runtime/loops/loop_choice.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "runtime/loops/loop_model.h"

namespace tailback {

namespace {

using contract::ThreadMark;
using contract::ThreadRecord;

bool counts(LoopChoice choice, const SiteView& site, const contract::WaitSite& place,
            uint64_t threshold_ticks) {
  switch (choice) {
    case LoopChoice::kNone:
      return false;
    case LoopChoice::kMarked:
      return true;
    case LoopChoice::kNamed:
      return site.iterations > 0 || is_marked_wait(site);
    case LoopChoice::kByBehaviour:
      break;
  }
  return is_marked_wait(site) || is_loop(site, place, threshold_ticks);
}

bool matches_any(const std::vector<std::string>& globs, std::vector<bool>* used,
                 const std::string& thread) {
  bool any = false;
  for (size_t i = 0; i < globs.size(); ++i) {
    if (fnmatch(globs[i].c_str(), thread.c_str(), 0) != 0) continue;
    if (used) (*used)[i] = true;
    any = true;
  }
  return any;
}

}  // namespace

LoopNames::LoopNames(LoopGlobs globs)
    : globs_(std::move(globs)),
      loops_used_(globs_.loops.size()),
      not_loops_used_(globs_.not_loops.size()) {}

LoopChoice LoopNames::choose(const std::string& thread) {
  const bool is_loop = matches_any(globs_.loops, nullptr, thread);
  if (matches_any(globs_.not_loops, &not_loops_used_, thread)) return LoopChoice::kNone;
  return is_loop ? LoopChoice::kNamed : LoopChoice::kByBehaviour;
}

void LoopNames::note_iterations(const std::string& thread) {
  matches_any(globs_.loops, &loops_used_, thread);
}

std::vector<std::string> LoopNames::unused() const {
  std::vector<std::string> unused;
  for (size_t i = 0; i < globs_.loops.size(); ++i) {
    if (!loops_used_[i]) unused.push_back("--loop " + globs_.loops[i]);
  }
  for (size_t i = 0; i < globs_.not_loops.size(); ++i) {
    if (!not_loops_used_[i]) unused.push_back("--not-loop " + globs_.not_loops[i]);
  }
  return unused;
}

LoopChoice loop_choice(LoopChoice named, uint32_t mark) {
  if (named != LoopChoice::kByBehaviour) return named;
  if (mark == static_cast<uint32_t>(ThreadMark::kLoop)) return LoopChoice::kMarked;
  if (mark == static_cast<uint32_t>(ThreadMark::kNotLoop)) return LoopChoice::kNone;
  return LoopChoice::kByBehaviour;
}

bool is_marked_wait(const SiteView& site) {
  return site.function == intercept::Function::tailback_wait;
}

bool is_said_to_be_loop(LoopChoice choice) {
  return choice == LoopChoice::kNamed || choice == LoopChoice::kMarked;
}

std::vector<SiteView> loops_among(LoopChoice choice, const std::vector<SiteView>& sites,
                                  const ThreadRecord& record, uint64_t threshold_ticks) {
  const bool marks_waits = std::any_of(sites.begin(), sites.end(), is_marked_wait);
  if (!marks_waits && choice == LoopChoice::kByBehaviour) {
    return loops_among(sites, record, threshold_ticks);
  }
  return sites_where(sites, record, [&](const SiteView& site, const contract::WaitSite& place) {
    return (!marks_waits || is_marked_wait(site)) && counts(choice, site, place, threshold_ticks);
  });
}

bool may_become_loop(LoopChoice choice, const SiteView& site) {
  return choice == LoopChoice::kByBehaviour && site.is_epoll();
}

}  // namespace tailback
