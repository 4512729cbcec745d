// Demangled names, shortened for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailback {

// The name in at most `limit` columns, escape_for_terminal. What tells functions apart stays
// longest: first the template arguments become "<…>", then the parameters "(…)", then the end is
// cut.
std::string short_function_name(std::string_view name, size_t limit);

}  // namespace tailback
