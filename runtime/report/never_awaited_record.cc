#include "runtime/report/never_awaited_record.h"

#include "runtime/report/json_pieces.h"
#include "runtime/report/record_pieces.h"
#include "runtime/report/wall_time.h"

namespace tailback {

std::string json_line(const NeverAwaited& never_awaited) {
  const JsonPieces pieces(kListedStringBytes);
  JsonPieces::Listed stack =
      pieces.listed(never_awaited.stack, never_awaited.culprit, never_awaited.stack_complete);
  return json_text({{"schema", kReportSchema},
                    {"type", "never-awaited"},
                    {"time", rfc3339(never_awaited.time)},
                    {"pid", never_awaited.pid},
                    {"tid", never_awaited.tid},
                    {"process", pieces.or_null(never_awaited.process)},
                    {"thread", pieces.or_null(never_awaited.thread)},
                    {"found_by", word(never_awaited.found_by)},
                    {"coroutine", pieces.or_null(never_awaited.coroutine)},
                    {"stack", std::move(stack.stack)},
                    {"stack_complete", stack.complete},
                    {"culprit", stack.culprit},
                    {"advice", pieces.cut(never_awaited.advice)},
                    {"fingerprint", pieces.cut(never_awaited.fingerprint)}});
}

NeverAwaited never_awaited_of(const Fields& fields) {
  NeverAwaited never_awaited;
  never_awaited.time = fields.time("time");
  read_thread(fields, never_awaited);
  never_awaited.found_by = fields.word_of<NeverAwaitedBy>("found_by", kNeverAwaitedByWords);
  never_awaited.coroutine = fields.text("coroutine");
  read_stack(fields, "stack_complete", never_awaited.stack, never_awaited.culprit,
             never_awaited.stack_complete);
  never_awaited.advice = fields.text("advice");
  never_awaited.fingerprint = fields.text("fingerprint");
  return never_awaited;
}

}  // namespace tailback
