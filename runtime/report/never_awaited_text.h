// Coroutines that were never awaited, in words.
#pragma once

#include <string>

#include "runtime/report/text_style.h"
#include "runtime/values/never_awaited.h"

namespace tailback {

// "coroutine save(int) was never awaited, made in main (shop.cc:12)"
std::string never_awaited_headline(const NeverAwaited& never_awaited);

// All that is known, over several lines.
std::string full_never_awaited_text(const NeverAwaited& never_awaited, const TextStyle& style);

}  // namespace tailback
