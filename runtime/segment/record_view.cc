#include "runtime/segment/record_view.h"

#include <algorithm>
#include <atomic>

#include "instrument/contract/wait_key.h"

namespace tailback {

using intercept::Family;
using intercept::Function;

Function checked_function(uint32_t word) {
  return word < intercept::kFunctionCount ? static_cast<Function>(word) : Function::kNone;
}

bool is_open_ended(Function function) {
  return intercept::facts_of(function).recording == intercept::Recording::kEntryOnly;
}

bool is_event_wait(Function function) {
  return intercept::facts_of(function).family == Family::kEvents;
}

bool tracks_iterations(Function function) {
  return is_event_wait(function) || intercept::facts_of(function).has(intercept::kNonEventWait);
}

bool may_have_wait_site(Function function) {
  return tracks_iterations(function) || intercept::may_be_named_wait(function);
}

std::optional<CallView> view_call(const contract::Call& call) {
  const uint32_t word = call.function.load(std::memory_order_acquire);
  CallView view;
  view.function = checked_function(word);
  if (view.function == Function::kNone) return std::nullopt;
  view.entered = call.entered.load(std::memory_order_relaxed);
  std::copy(std::begin(call.arguments), std::end(call.arguments), view.arguments.begin());
  view.call_site = call.call_site;
  view.context = call.context;
  std::atomic_thread_fence(std::memory_order_acquire);
  if (call.function.load(std::memory_order_relaxed) != word ||
      call.entered.load(std::memory_order_relaxed) != view.entered) {
    return std::nullopt;
  }
  return view;
}

bool SiteView::is_epoll() const {
  return function == Function::epoll_wait || function == Function::epoll_pwait ||
         function == Function::epoll_pwait2;
}

int SiteView::epoll_fd() const {
  return is_epoll() ? contract::descriptor_of_key(key) : -1;
}

bool SiteView::is_non_event_wait() const {
  return !is_event_wait(function) && !is_named_wait();
}

bool SiteView::is_named_wait() const {
  return intercept::may_be_named_wait(function);
}

int SiteView::read_fd() const {
  const intercept::FunctionFacts& facts = intercept::facts_of(function);
  const bool reads = facts.has(intercept::kNonEventWait) && intercept::takes_descriptor(facts);
  return reads ? contract::read_descriptor_of_key(key) : -1;
}

std::vector<ContributorView> view_contributors(
    const contract::Contributor (&contributors)[contract::kContributors]) {
  std::vector<ContributorView> views;
  for (const contract::Contributor& entry : contributors) {
    const Function function = checked_function(entry.function);
    if (entry.count == 0 || function == Function::kNone) continue;
    views.push_back(
        {function, entry.call_site, entry.count, entry.total_ticks, entry.longest_ticks});
  }
  std::sort(views.begin(), views.end(), [](const ContributorView& a, const ContributorView& b) {
    return a.total_ticks > b.total_ticks;
  });
  return views;
}

std::optional<SiteView> view_site(const contract::WaitSite& site) {
  SiteView view;
  view.key = site.key.load(std::memory_order_acquire);
  view.function = checked_function(site.function);
  view.never_blocks = site.blocking == static_cast<uint16_t>(contract::SiteBlocking::kNever);
  if (view.key == 0 || !may_have_wait_site(view.function)) return std::nullopt;
  view.iteration_begin = site.iteration_begin.load(std::memory_order_acquire);
  view.iterations = site.iterations.load(std::memory_order_relaxed);
  view.call_site = site.call_site;
  view.stack_pointer = site.stack_pointer;
  view.busy_ticks = site.busy_ticks;
  view.longest_ticks = site.longest_ticks;
  view.first_tick = site.first_tick;
  view.other_ticks = site.other_ticks;
  view.contributors = view_contributors(site.contributors);
  return view;
}

bool has_wait_sites(const contract::ThreadRecord& record) {
  return (record.sites.load(std::memory_order_relaxed) & ~contract::kNamedLoop) != 0;
}

uint32_t threads_used(const contract::Segment& segment) {
  return std::min(segment.header.threads_used.load(std::memory_order_acquire),
                  contract::kThreadCapacity);
}

std::vector<SiteView> view_sites(const contract::ThreadRecord& record) {
  std::vector<SiteView> sites;
  for (const contract::WaitSite& site : record.wait_sites) {
    if (auto view = view_site(site)) sites.push_back(std::move(*view));
  }
  return sites;
}

}  // namespace tailback
