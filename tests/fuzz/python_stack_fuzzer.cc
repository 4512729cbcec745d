// libFuzzer over the reader of Python's frames: damage to recorded images, made up by the fuzzer.
// The first byte chooses the image, the second the thread, the rest says what is damaged.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/unit/damaged_image.h"
#include "tests/unit/python_versions.h"

namespace {

using namespace tailback;

struct Sample {
  PythonImage image;
  std::vector<uint64_t> places;
};

std::vector<Sample> read_samples() {
  std::vector<Sample> samples;
  for (const std::string& version : kPythonVersions) {
    Sample& sample = samples.emplace_back();
    sample.image = read_python_image(std::string(TAILBACK_SOURCE_DIR) +
                                     "/tests/unit/images/python-" + version + ".image");
    sample.places = word_addresses(sample.image.memory);
  }
  return samples;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Sample> samples = read_samples();
  if (size < 2) return 0;
  const Sample& sample = samples[data[0] % samples.size()];
  const auto& threads = sample.image.threads;
  MemoryImage memory = sample.image.memory;
  damage(memory, sample.places, Decisions({data + 2, size - 2}));
  const InterpreterStack stack =
      python_stack_of(memory, sample.image.python, threads[data[1] % threads.size()].tid);
  const std::string fault = fault_of(stack);
  if (fault.empty()) return 0;
  std::fprintf(stderr, "%s\n", fault.c_str());
  std::abort();
}
