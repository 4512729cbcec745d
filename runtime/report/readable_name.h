// Demangled names as their author would write them.
#pragma once

#include <string>
#include <string_view>

namespace tailback {

// The name without what says nothing to a reader: the arguments of the standard library's templates
// that nobody writes (allocators, traits, comparisons), the spelled-out forms of std::string and
// the std::chrono units, inline namespaces, what a function template returns, the signatures of
// lambdas, the compiler's own marks ("[clone .isra.0]", "[abi:cxx11]"), and the trait in the name
// of a Rust method. What it does not understand stays as it is.
std::string readable_name(std::string_view name);

}  // namespace tailback
