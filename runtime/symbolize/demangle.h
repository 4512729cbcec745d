// Names as they stand in the source, from names as the compiler wrote them.
#pragma once

#include <string>
#include <string_view>

namespace tailback {

// C++ and Rust (both manglings); any other name as it is.
std::string demangle(std::string_view name);

}  // namespace tailback
