// What a module exports: by these names an interpreter's own data is found, stripped or not.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "runtime/capture/module_image.h"

namespace tailback {

// Calls `visit` for each dynamic symbol that the module itself defines, with its address in the
// file; the name holds for the call. None, if there is no file to be had. Gives libelf's view of
// the image back.
void for_each_exported_symbol(
    ModuleImage& image, const std::function<void(std::string_view name, uint64_t address)>& visit);

}  // namespace tailback
