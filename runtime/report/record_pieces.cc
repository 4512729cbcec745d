#include "runtime/report/record_pieces.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tailback {

using nlohmann::json;

Frame frame_of(const json& value) {
  const Fields fields(value);
  Frame frame;
  frame.function = fields.text("function");
  frame.file = fields.text("file");
  frame.line = fields.number<int>("line");
  frame.module = fields.text("module");
  frame.inlined = fields.flag("inlined", false);
  if (fields.find("language") != nullptr) frame.language = fields.text("language");

  frame.offset = fields.address("offset");
  return frame;
}

void read_stack(const Fields& fields, const char* complete_field, std::vector<Frame>& stack,
                size_t& culprit, bool& complete) {
  for (const json& frame : fields.list("stack")) stack.push_back(frame_of(frame));
  culprit = std::min(fields.integer<size_t>("culprit").value_or(stack.size()), stack.size());
  complete = fields.flag(complete_field, true);
}

LoopIdentity loop_of(const json& value) {
  const Fields fields(value);
  return {fields.text("wait"), fields.integer<int>("fd").value_or(-1)};
}

BlockedCall call_of(const json& value) {
  const Fields fields(value);
  BlockedCall call;
  call.function = fields.text("function");
  call.object = fields.text("object");
  call.intercepted = fields.flag("intercepted", true);
  if (const json* const arguments = fields.find("arguments")) {
    if (!arguments->is_object()) malformed("arguments", "an object");
    for (const auto& [name, argument] : arguments->items()) {
      const bool is_number = argument.is_number_integer();
      if (!is_number && !argument.is_string())
        malformed("arguments", "made of strings and numbers");
      call.arguments.push_back(
          {name, is_number ? argument.dump() : argument.get<std::string>(), is_number});
    }
  }
  if (fields.find("owner_stack") != nullptr) {
    for (const json& frame : fields.list("owner_stack"))
      call.owner_stack.push_back(frame_of(frame));
  }
  return call;
}

Lock lock_of(const json& value) {
  const Fields fields(value);
  Lock lock;
  lock.kind = fields.word_of<LockKind>("kind", kLockKindWords);
  lock.type = fields.text("type");
  lock.name = fields.text("name");
  lock.address = fields.address("address");
  lock.holders = fields.text("holders");
  return lock;
}

LockOwner owner_of(const json& value) {
  const Fields fields(value);
  LockOwner owner;
  read_thread(fields, owner);
  owner.state = fields.word_of<OwnerState>("state", kOwnerStateWords);
  owner.lock = lock_of(fields.need("lock"));
  if (const json* const call = fields.find("call")) owner.call = call_of(*call);
  read_stack(fields, "complete", owner.stack, owner.culprit, owner.stack_complete);
  return owner;
}

}  // namespace tailback
