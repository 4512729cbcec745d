// Where a function's code begins and ends, by its call frame information: stripped modules have
// that, too. A function that is split into a hot and a cold part has a range for each.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/capture/module_image.h"

namespace tailback {

struct FunctionRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  bool contains(uint64_t address) const { return address >= begin && address < end; }
  bool operator==(const FunctionRange&) const = default;
};

// The range that holds an address of the file. Nothing if no information covers it, or it is
// written in another form than compilers use.
std::optional<FunctionRange> function_range(ModuleImage& image, uint64_t address);

}  // namespace tailback
