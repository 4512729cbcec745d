#include "runtime/report/duration_text.h"

#include <spdlog/fmt/fmt.h>

#include <limits>

#include <algorithm>
#include <array>
#include <cmath>

namespace tailback {
namespace {

struct Unit {
  const char* name;
  double nanoseconds;
};

// The value in three significant digits; nothing if it rounds to `limit` or more, which the next
// unit should say.
std::string three_digits(double value, double limit, const char* unit) {
  for (int decimals : {2, 1, 0}) {
    const double scale = std::pow(10.0, decimals);
    const double rounded = std::round(value * scale) / scale;
    if (rounded < std::pow(10.0, 3 - decimals) && rounded < limit) {
      return fmt::format("{:.{}f} {}", rounded, decimals, unit);
    }
  }
  return {};
}

}  // namespace

std::string duration_text(Nanoseconds duration) {
  const int64_t count = std::max<int64_t>(duration.count(), 0);
  if (count < 1000) return fmt::format("{} ns", count);

  constexpr std::array kUnits = {Unit{"µs", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}};
  for (const Unit& unit : kUnits) {
    const double limit = unit.nanoseconds == 1e9 ? 60.0 : 1000.0;
    const double value = static_cast<double>(count) / unit.nanoseconds;
    if (value >= limit) continue;
    std::string text = three_digits(value, limit, unit.name);
    if (!text.empty()) return text;
  }

  const int64_t seconds = count / 1'000'000'000 + (count % 1'000'000'000 >= 500'000'000 ? 1 : 0);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (hours < 24) return fmt::format("{} h {} min", hours, minutes % 60);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string count_text(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t from_end = 3; from_end < digits.size(); from_end += 4) {
    digits.insert(digits.size() - from_end, 1, ',');
  }
  return digits;
}

std::string count_text(uint64_t count, const char* one, const char* many) {
  return count_text(count) + " " + (count == 1 ? one : many);
}

std::string count_line(std::string_view indent, uint64_t count, const char* one, const char* many) {
  return count > 0 ? fmt::format("{}{}\n", indent, count_text(count, one, many)) : std::string();
}

std::string share_text(Nanoseconds part, Nanoseconds whole) {
  if (whole <= Nanoseconds::zero()) return "-";
  const double percent =
      100.0 * static_cast<double>(part.count()) / static_cast<double>(whole.count());
  if (part > Nanoseconds::zero() && percent < 0.5) return "<1 %";
  return fmt::format("{:.0f} %", percent);
}

Nanoseconds saturating_sum(Nanoseconds a, Nanoseconds b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a.count(), b.count(), &sum)) return Nanoseconds(sum);
  return a.count() > 0 ? Nanoseconds::max() : Nanoseconds::min();
}

uint64_t saturating_sum(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<uint64_t>::max() : sum;
}

}  // namespace tailback
