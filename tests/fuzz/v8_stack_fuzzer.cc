// libFuzzer over the reader of JavaScript frames: damage to recorded images, made up by the fuzzer.
// The first byte chooses the image, the rest says what is damaged.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/unit/damaged_image.h"
#include "tests/unit/node_versions.h"
#include "tests/unit/v8_image.h"

namespace {

using namespace tailback;

struct Sample {
  V8Image image;
  std::vector<uint64_t> places;
};

std::vector<Sample> read_samples() {
  std::vector<Sample> samples;
  for (const std::string& version : kNodeVersions) {
    Sample& sample = samples.emplace_back();
    sample.image = read_v8_image(std::string(TAILBACK_SOURCE_DIR) + "/tests/unit/images/node-" +
                                 version + ".image");
    sample.places = word_addresses(sample.image.memory);
  }
  return samples;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Sample> samples = read_samples();
  if (size < 1) return 0;
  const Sample& sample = samples[data[0] % samples.size()];
  MemoryImage memory = sample.image.memory;
  damage(memory, sample.places, Decisions({data + 1, size - 1}));
  const std::string fault = fault_of(gather_v8_image(sample.image, memory));
  if (fault.empty()) return 0;
  std::fprintf(stderr, "%s\n", fault.c_str());
  std::abort();
}
