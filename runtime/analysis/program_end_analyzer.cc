#include "runtime/analysis/program_end_analyzer.h"

#include <algorithm>
#include <utility>

#include "runtime/explain/program_end.h"

namespace tailback {

void ProgramEndAnalyzer::analyze(const ProgramEndSeen& seen) {
  const WeighedSample observed{seen.sample, seen.waited, {}};
  const ReadSample read{&observed, reader_.read(seen.pid, *seen.sample), std::nullopt};
  const auto end = find_program_end(read.stack.frames);
  if (!end) return;
  Stall wait;
  name_thread(seen, wait);
  wait.cause = seen.sample->call->cause;
  blame_.assign(seen.pid, &read, wait);

  Note note;
  note.kind = NoteKind::kBlockedEnd;
  note.time = seen.time;
  note.length = seen.waited;
  name_thread(seen, note);
  note.call = seen.sample->call->call;
  if (wait.call) note.call = std::move(wait.call);
  note.owners = std::move(wait.owners);
  for (const OwnerSample& other : seen.others) note.others.push_back(owners_.thread_of(other));
  note.stack = std::move(wait.stack);
  note.stack_complete = wait.stack_complete;
  // Of the program's code only what the end has called is to blame.
  note.culprit = std::min(wait.culprit, end->frame);
  reporter_.report(note);
}

}  // namespace tailback
