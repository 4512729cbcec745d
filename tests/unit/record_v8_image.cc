// Writes tests/unit/images: record_v8_image VERSION [FLAG…] > node-VERSION.image
// Flags are Node's; of 20 and 24: --sparkplug --always-sparkplug.
#include <algorithm>
#include <iostream>

#include "runtime/interpreters/v8/processes.h"
#include "tests/unit/node_command.h"
#include "tests/unit/running_node.h"
#include "tests/unit/v8_image.h"

namespace {

using namespace tailback;

// Without what makes no difference.
V8Constants needed(V8Version version, V8Constants constants) {
  const V8Constants all = constants;
  for (const auto& [name, value] : all) {
    constants.erase(name);
    if (!v8_layout(version, constants)) constants[name] = value;
  }
  return constants;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr size_t kStackBytes = 10 * 1024;
  const std::string command = argc >= 2 ? node_command(argv[1]) : "";
  if (command.empty()) {
    std::cerr << "record_v8_image VERSION [FLAG…]: a version that is installed, such as 20\n";
    return 2;
  }
  const RunningNode running(command, "main", {argv + 2, argv + argc});
  if (running.modules() == nullptr) return 1;
  ProcessMemory process(running.pid());
  V8Finder finder;
  const auto engine = finder.find(running.pid(), *running.modules(), process);
  if (!engine || !engine->unreadable.empty()) return 1;
  for (Snapshot& snapshot : running.snapshots()) {
    if (snapshot.tid != running.pid()) continue;
    snapshot.stack.resize(std::min(snapshot.stack.size(), kStackBytes));
    RecordingMemory memory(process);
    const GatheredV8Stack gathered = gather_v8_stack(memory, engine->layout, snapshot);
    V8Image image;
    image.version = engine->version;
    image.constants = needed(engine->version, engine->constants);
    image.stack_begin = snapshot.stack_begin;
    image.stack_bytes = snapshot.stack.size();
    image.memory = memory.image();
    image.memory.add(snapshot.stack_begin, snapshot.stack);
    for (const Mapping& mapping : running.modules()->mappings())
      if (mapping.executable) image.code.push_back(mapping);
    for (const GatheredV8Stack::Frame& frame : gathered.frames)
      if (frame.frame.linked) image.frames.push_back(frame.frame);
    write_v8_image(std::cout, image);
    return 0;
  }
  return 1;
}
