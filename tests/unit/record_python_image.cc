// Writes tests/unit/images: record_python_image VERSION > python-VERSION.image
#include <iostream>

#include "runtime/interpreters/python/finder.h"
#include "tests/unit/running_python.h"

int main(int argc, char** argv) {
  using namespace tailback;
  const std::string command = argc == 2 ? python_command(argv[1]) : "";
  if (command.empty()) {
    std::cerr << "record_python_image VERSION: a version that is installed, such as 3.11\n";
    return 2;
  }
  const RunningPython running(command);
  if (running.modules() == nullptr) return 1;
  ProcessMemory process(running.pid());
  PythonFinder finder;
  const auto found = finder.find(running.pid(), *running.modules(), process);
  if (!found) return 1;
  PythonImage image;
  image.python = *found;
  RecordingMemory memory(process);
  for (const size_t i : {1, 2, 3, 4, 10}) {  // others would make a large file, or say nothing new
    const PythonImage::Thread& thread = running.threads().at(i);
    const InterpreterStack stack = python_stack_of(memory, *found, thread.tid);
    if (!stack.failure.empty()) std::cerr << stack.failure << '\n';
    image.threads.push_back(thread);
  }
  image.memory = memory.image();
  write_python_image(std::cout, image);
  return 0;
}
