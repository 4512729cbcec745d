// One line that an expert would say.
#pragma once

#include <string>

#include "runtime/values/stall.h"

namespace tailback {

std::string advice(const Stall& stall);

}  // namespace tailback
