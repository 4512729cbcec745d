// Where the fields of CPython's structures lie in one process: builds with the GIL and without
// debug checks of the versions in versions.h. Up to 3.12 the offsets are known; from 3.13 on the
// interpreter says most of them itself.
#pragma once

#include <optional>

#include "runtime/capture/remote_address.h"
#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/versions.h"

namespace tailback {

// The layout of a version; from 3.13 on as the interpreter whose _PyRuntime lies at `runtime` says.
// Nothing if it is not known, or what the interpreter says makes no sense.
std::optional<PythonLayout> python_layout(PythonVersion version, RemoteMemory& memory,
                                          RemoteAddress runtime);

// Whether the interpreter says that it has no GIL. From 3.13 on.
bool is_free_threaded(RemoteMemory& memory, RemoteAddress runtime);

}  // namespace tailback
