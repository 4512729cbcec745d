#include "runtime/analysis/blocking_call_analyzer.h"

#include "runtime/explain/advice.h"
#include "runtime/explain/fingerprint.h"
#include "runtime/explain/program_end.h"
#include "runtime/explain/runtime_of.h"

namespace tailback {

void BlockingCallAnalyzer::analyze(const BlockingCallSeen& seen) {
  const StallSeen& call = seen.call;
  const std::vector<ReadSample> samples = read_samples(reader_, call);
  if (samples.empty() || is_shutdown(samples.front().stack.frames)) return;
  if (idle_waits_.is_idle(call.pid, samples.front().sample(), call.sharing)) return;
  BlockingCall blocking_call;
  blocking_call.kind = seen.kind;
  blocking_call.count = 1;
  blocking_call.total = call.duration;
  blocking_call.last = call.begin;
  Stall& longest = blocking_call.longest = identity_of(call);
  longest.samples = 1;
  const DecidedCause decided =
      cause_of_call(samples.front().sample().call->cause, evidence_of(samples));
  longest.cause = decided.cause;
  blame_.assign(call.pid, decided.stack ? &samples[*decided.stack] : nullptr, longest);
  longest.advice = advice(longest, runtime_of(longest, *call.modules));
  longest.fingerprint = fingerprint(longest);
  reporter_.report(blocking_call);
}

}  // namespace tailback
