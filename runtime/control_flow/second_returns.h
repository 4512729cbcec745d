// Functions that can return a second time, so that control gets back to where no jump leads.
#pragma once

#include "runtime/capture/module_image.h"

namespace tailback {

// Whether a module uses setjmp or getcontext of a library. True where that can't be told.
bool may_return_twice(ModuleImage& image);

}  // namespace tailback
