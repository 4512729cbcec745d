#include "runtime/symbolize/demangle.h"

#include <libiberty/demangle.h>

#include <cstdlib>
#include <memory>

namespace tailback {
namespace {

// Longer ones are left as they are: a short mangled name can stand for a very long one, and the
// file that it comes from need not mean well.
constexpr size_t kLongestMangled = 4096;

}  // namespace

std::string demangle(std::string_view name) {
  std::string mangled(name);
  if (!name.starts_with("_Z") && !name.starts_with("_R")) return mangled;
  if (name.size() > kLongestMangled) return mangled;
  const std::unique_ptr<char, decltype(&std::free)> plain(
      cplus_demangle(mangled.c_str(), DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO), &std::free);
  return plain != nullptr ? std::string(plain.get()) : mangled;
}

}  // namespace tailback
