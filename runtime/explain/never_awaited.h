// Coroutines that were never awaited: which one, and who made it.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/values/never_awaited.h"

namespace tailback {

// What Python's interpreter warned of: coroutine and place. The place is where the coroutine was
// made if the warning says that (where origins are tracked, as in asyncio's debug mode), else where
// it was dropped, which of a forgotten await is the same line. Nothing if it is another text.
std::optional<NeverAwaited> read_python_warning(std::string_view text);

// Of a stack on which a coroutine's promise is made: names the coroutine, the innermost frame that
// is no constructor's, and blames its caller.
void name_coroutine(NeverAwaited& never_awaited);

// Fills in what to do, and the fingerprint.
void explain(NeverAwaited& never_awaited);

}  // namespace tailback
