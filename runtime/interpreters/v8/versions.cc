#include "runtime/interpreters/v8/versions.h"

#include <algorithm>
#include <array>

namespace tailback {
namespace {

constexpr auto kReleases = std::to_array<V8Release>({
#include "runtime/interpreters/v8/versions.inc"
});

}  // namespace

std::span<const V8Release> v8_releases() {
  return kReleases;
}

const V8Release* v8_release(V8Version version) {
  const auto found =
      std::find_if(kReleases.begin(), kReleases.end(),
                   [&](const V8Release& release) { return release.version == version; });
  return found != kReleases.end() ? &*found : nullptr;
}

}  // namespace tailback
