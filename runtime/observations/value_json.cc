#include "runtime/observations/value_json.h"

#include <set>

#include "runtime/interpreters/languages.h"

namespace tailback {

namespace {

int64_t count(Nanoseconds time) {
  return time.count();
}

RemoteAddress address_in(const Json& json) {
  return RemoteAddress(json.get<uint64_t>());
}

// Views of recorded text must live as long as what has them.
std::string_view keep(const std::string& text) {
  static std::set<std::string> kept;
  return *kept.insert(text).first;
}

}  // namespace

void to_json(Json& json, const ThreadStat& stat) {
  json = {std::string(1, stat.state), stat.major_faults, stat.user_ticks, stat.system_ticks};
}
void from_json(const Json& json, ThreadStat& stat) {
  stat.state = json.at(0).get<std::string>().at(0);
  stat.major_faults = json.at(1);
  stat.user_ticks = json.at(2);
  stat.system_ticks = json.at(3);
}

void to_json(Json& json, const ScheduleTimes& times) {
  json = {count(times.on_cpu), count(times.runnable)};
}
void from_json(const Json& json, ScheduleTimes& times) {
  times.on_cpu = Nanoseconds(json.at(0).get<int64_t>());
  times.runnable = Nanoseconds(json.at(1).get<int64_t>());
}

void to_json(Json& json, const KernelCall& call) {
  json = {call.number, call.arguments, call.stack_pointer, call.instruction_pointer};
}
void from_json(const Json& json, KernelCall& call) {
  call.number = json.at(0);
  call.arguments = json.at(1);
  call.stack_pointer = json.at(2);
  call.instruction_pointer = json.at(3);
}

void to_json(Json& json, const ExecutableFile& file) {
  json = {file.device, file.inode};
}
void from_json(const Json& json, ExecutableFile& file) {
  file = {json.at(0).get<uint64_t>(), json.at(1).get<uint64_t>()};
}

void to_json(Json& json, const MachineClocks& clocks) {
  json = {count(clocks.with_suspension), count(clocks.without_suspension)};
}
void from_json(const Json& json, MachineClocks& clocks) {
  clocks.with_suspension = Nanoseconds(json.at(0).get<int64_t>());
  clocks.without_suspension = Nanoseconds(json.at(1).get<int64_t>());
}

void to_json(Json& json, const DescriptorFacts& facts) {
  json = {static_cast<int>(facts.kind), facts.text, facts.process};
}
void from_json(const Json& json, DescriptorFacts& facts) {
  facts.kind = static_cast<DescriptorKind>(json.at(0).get<int>());
  facts.text = json.at(1);
  facts.process = json.at(2);
}

void to_json(Json& json, const LockReading& lock) {
  json = {{"kind", static_cast<int>(lock.kind)},
          {"address", lock.address.value},
          {"type", lock.type},
          {"between_processes", lock.between_processes},
          {"owner", lock.owner},
          {"owner_process", lock.owner_process},
          {"holders", lock.holders}};
}
void from_json(const Json& json, LockReading& lock) {
  lock.kind = static_cast<LockKind>(json.at("kind").get<int>());
  lock.address = address_in(json.at("address"));
  lock.type = json.at("type");
  lock.between_processes = json.at("between_processes");
  lock.owner = json.at("owner");
  lock.owner_process = json.at("owner_process");
  lock.holders = json.at("holders");
}

void to_json(Json& json, const Frame& frame) {
  json = {frame.function, frame.file,    frame.line,    frame.module,
          frame.offset,   frame.inlined, frame.language};
}
void from_json(const Json& json, Frame& frame) {
  frame.function = json.at(0);
  frame.file = json.at(1);
  frame.line = json.at(2);
  frame.module = json.at(3);
  frame.offset = json.at(4);
  frame.inlined = json.at(5);
  frame.language = json.at(6);
}

void to_json(Json& json, const RawFrame& frame) {
  json = {frame.address.value, frame.after_call, frame.stack_pointer.value};
}
void from_json(const Json& json, RawFrame& frame) {
  frame.address = address_in(json.at(0));
  frame.after_call = json.at(1);
  frame.stack_pointer = address_in(json.at(2));
}

void to_json(Json& json, const RawStack& stack) {
  json = {{"frames", stack.frames}, {"complete", stack.complete}};
}
void from_json(const Json& json, RawStack& stack) {
  stack.frames = json.at("frames").get<std::vector<RawFrame>>();
  stack.complete = json.at("complete");
}

void to_json(Json& json, const Mapping& mapping) {
  json = {mapping.begin.value, mapping.end.value, mapping.file_offset, mapping.executable,
          mapping.writable,    mapping.device,    mapping.inode,       mapping.path};
}
void from_json(const Json& json, Mapping& mapping) {
  mapping.begin = address_in(json.at(0));
  mapping.end = address_in(json.at(1));
  mapping.file_offset = json.at(2);
  mapping.executable = json.at(3);
  mapping.writable = json.at(4);
  mapping.device = json.at(5);
  mapping.inode = json.at(6);
  mapping.path = json.at(7);
}

Json json_of(const ModuleMap& modules) {
  return modules.mappings();
}
std::shared_ptr<const ModuleMap> modules_from(const Json& json) {
  return std::make_shared<const ModuleMap>(json.get<std::vector<Mapping>>());
}

Json json_of(const contract::Context& context) {
  return {context.instruction_pointer, context.stack_pointer, context.saved};
}
contract::Context context_from(const Json& json) {
  contract::Context context{};
  context.instruction_pointer = json.at(0);
  context.stack_pointer = json.at(1);
  for (size_t i = 0; i < std::size(context.saved) && i < json.at(2).size(); ++i) {
    context.saved[i] = json.at(2).at(i);
  }
  return context;
}

Json json_of(const Snapshot& snapshot) {
  return {{"id", snapshot.id},
          {"pid", snapshot.pid},
          {"tid", snapshot.tid},
          {"context", json_of(snapshot.registers.context)},
          {"complete", snapshot.registers.complete},
          {"after_call", snapshot.registers.after_call},
          {"stack_begin", snapshot.stack_begin.value}};
}
Snapshot snapshot_from(const Json& json) {
  Snapshot snapshot;
  snapshot.id = json.at("id");
  snapshot.pid = json.at("pid");
  snapshot.tid = json.at("tid");
  snapshot.registers.context = context_from(json.at("context"));
  snapshot.registers.complete = json.at("complete");
  snapshot.registers.after_call = json.at("after_call");
  snapshot.stack_begin = address_in(json.at("stack_begin"));
  return snapshot;
}

namespace {

Json json_of(const CallView& call) {
  return {{"function", name_of_function(static_cast<uint32_t>(call.function))},
          {"entered", call.entered},
          {"arguments", call.arguments},
          {"call_site", call.call_site},
          {"context", tailback::json_of(call.context)}};
}
CallView call_view_from(const Json& json) {
  CallView call;
  call.function = static_cast<intercept::Function>(function_named(json.at("function")));
  call.entered = json.at("entered");
  call.arguments = json.at("arguments");
  call.call_site = json.at("call_site");
  call.context = context_from(json.at("context"));
  return call;
}

Json json_of(const CallDescription& call) {
  Json arguments = Json::array();
  for (const Argument& one : call.call.arguments) {
    arguments.push_back({one.name, one.value, one.is_number});
  }
  return {{"function", call.call.function},
          {"arguments", arguments},
          {"object", call.call.object},
          {"intercepted", call.call.intercepted},
          {"cause", word(call.cause)},
          {"lock", call.lock.value},
          {"owner_tid", call.owner_tid},
          {"reading", tailback::json_of(call.reading)},
          {"child", call.child},
          {"source",
           {name_of_function(static_cast<uint32_t>(call.source.function)), call.source.system_call,
            call.source.arguments}}};
}
CallDescription call_from(const Json& json) {
  CallDescription call;
  call.call.function = json.at("function");
  for (const Json& one : json.at("arguments")) {
    call.call.arguments.push_back({one.at(0), one.at(1), one.at(2)});
  }
  call.call.object = json.at("object");
  call.call.intercepted = json.at("intercepted");
  const std::string cause = json.at("cause");
  for (size_t i = 0; i < kCauseWords.size(); ++i) {
    if (kCauseWords[i] == cause) call.cause = static_cast<Cause>(i);
  }
  call.lock = address_in(json.at("lock"));
  call.owner_tid = json.at("owner_tid");
  call.reading = optional_from<LockReading>(json.at("reading"));
  call.child = json.at("child");
  const Json& source = json.at("source");
  call.source.function = static_cast<intercept::Function>(function_named(source.at(0)));
  call.source.system_call = source.at(1);
  call.source.arguments = source.at(2);
  return call;
}

Json json_of(const InterpretedFrame& frame) {
  return {frame.function,
          frame.file,
          frame.line,
          frame.ends_call,
          frame.frame_pointer.value,
          frame.return_address.value,
          frame.linked,
          frame.failure};
}
InterpretedFrame interpreted_frame_from(const Json& json) {
  InterpretedFrame frame;
  frame.function = json.at(0);
  frame.file = json.at(1);
  frame.line = json.at(2);
  frame.ends_call = json.at(3);
  frame.frame_pointer = address_in(json.at(4));
  frame.return_address = address_in(json.at(5));
  frame.linked = json.at(6);
  frame.failure = keep(json.at(7));
  return frame;
}

Json json_of(const InterpreterStack& stack) {
  Json frames = Json::array();
  for (const InterpretedFrame& frame : stack.frames) frames.push_back(json_of(frame));
  Json runner;
  if (stack.runner) {
    Json ranges = Json::array();
    for (const CodeRange& range : stack.runner->ranges) ranges.push_back({range.begin, range.end});
    runner = {stack.runner->module, stack.runner->function, ranges};
  }
  return {{"language", stack.language ? stack.language->name : std::string_view()},
          {"frames", frames},
          {"complete", stack.complete},
          {"runner", runner},
          {"task", stack.task},
          {"unreadable", stack.unreadable},
          {"failure", stack.failure}};
}
InterpreterStack stack_from(const Json& json) {
  InterpreterStack stack;
  const std::string name = json.at("language");
  for (const Language* language : languages()) {
    if (language->name == name) stack.language = language;
  }
  for (const Json& frame : json.at("frames")) stack.frames.push_back(interpreted_frame_from(frame));
  stack.complete = json.at("complete");
  if (const Json& runner = json.at("runner"); !runner.is_null()) {
    FrameRunner made;
    made.module = runner.at(0);
    made.function = keep(runner.at(1));
    for (const Json& range : runner.at(2)) made.ranges.push_back({range.at(0), range.at(1)});
    stack.runner = std::make_shared<const FrameRunner>(std::move(made));
  }
  stack.task = json.at("task");
  stack.unreadable = json.at("unreadable");
  stack.failure = keep(json.at("failure"));
  return stack;
}

}  // namespace

Json json_of(const std::vector<InterpreterStack>& stacks) {
  Json json = Json::array();
  for (const InterpreterStack& stack : stacks) json.push_back(json_of(stack));
  return json;
}
std::vector<InterpreterStack> interpreted_from(const Json& json) {
  std::vector<InterpreterStack> stacks;
  for (const Json& stack : json) stacks.push_back(stack_from(stack));
  return stacks;
}

Json json_of(const Sample& sample) {
  Json json = {{"source", static_cast<int>(sample.source)},
               {"state", std::string(1, sample.state)},
               {"held", sample.held},
               {"in_fault", sample.in_fault},
               {"interpreted", json_of(sample.interpreted)},
               {"owner_name", sample.owner_name}};
  if (sample.call) json["call"] = json_of(*sample.call);
  if (sample.source == Sample::Source::kRecord) json["recorded"] = json_of(sample.recorded);
  if (sample.snapshot) json["snapshot"] = json_of(*sample.snapshot);
  if (sample.owner_stack) json["owner_stack"] = json_of(*sample.owner_stack);
  return json;
}

Sample sample_from(const Json& json) {
  Sample sample;
  sample.source = static_cast<Sample::Source>(json.at("source").get<int>());
  sample.state = json.at("state").get<std::string>().at(0);
  sample.held = json.at("held");
  sample.in_fault = json.at("in_fault");
  sample.interpreted = interpreted_from(json.at("interpreted"));
  sample.owner_name = json.at("owner_name");
  if (json.contains("call")) sample.call = call_from(json["call"]);
  if (json.contains("recorded")) sample.recorded = call_view_from(json["recorded"]);
  if (json.contains("snapshot")) sample.snapshot = snapshot_from(json["snapshot"]);
  if (json.contains("owner_stack")) sample.owner_stack = stack_from(json["owner_stack"]);
  return sample;
}

}  // namespace tailback
