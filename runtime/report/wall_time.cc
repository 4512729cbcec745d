#include "runtime/report/wall_time.h"

#include <spdlog/fmt/fmt.h>

#include <cstdlib>
#include <ctime>

namespace tailback {
namespace {

std::string format(WallTime time, const char* date_end, const char* zone_begin) {
  using namespace std::chrono;
  const auto since_epoch = floor<milliseconds>(time.time_since_epoch());
  const auto whole_seconds = floor<seconds>(since_epoch);
  const auto clock = static_cast<time_t>(whole_seconds.count());
  std::tm local{};
  if (localtime_r(&clock, &local) == nullptr) gmtime_r(&clock, &local);
  const long offset = local.tm_gmtoff / 60;
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}.{:03}{}{}{:02}:{:02}",
                     local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, date_end, local.tm_hour,
                     local.tm_min, local.tm_sec, (since_epoch - whole_seconds).count(), zone_begin,
                     offset < 0 ? '-' : '+', std::labs(offset) / 60, std::labs(offset) % 60);
}

// Takes `digits` decimal digits off the text's beginning.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Nanoseconds> take_fraction(std::string_view& text) {
  Nanoseconds fraction{};
  if (!take(text, ".")) return fraction;
  Nanoseconds digit_value(100'000'000);
  bool any = false;
  while (const auto digit = take_number(text, 1)) {
    fraction += *digit * digit_value;
    digit_value /= 10;
    any = true;
  }
  if (!any) return std::nullopt;
  return fraction;
}

std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  if (take(text, "Zz")) return std::chrono::minutes(0);
  const bool behind = !text.empty() && text[0] == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return behind ? -offset : offset;
}

}  // namespace

std::string rfc3339(WallTime time) {
  return format(time, "T", "");
}

std::string wall_time_text(WallTime time) {
  return format(time, " ", " ");
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_number(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto mo = take_number(text, 2);
  if (!mo || !take(text, "-")) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  const auto h = take_number(text, 2);
  if (!h || !take(text, ":")) return std::nullopt;
  const auto mi = take_number(text, 2);
  if (!mi || !take(text, ":")) return std::nullopt;
  const auto s = take_number(text, 2);
  if (!s) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto zone = fraction ? take_zone(text) : std::nullopt;
  if (!zone || !text.empty()) return std::nullopt;

  const year_month_day date(year(*y), month(static_cast<unsigned>(*mo)),
                            day(static_cast<unsigned>(*d)));
  // The second 60 is a leap second. WallTime counts nanoseconds from 1970 in 64 bits.
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 60 || *y < 1678 || *y > 2261) return std::nullopt;
  const auto at = sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s) - *zone;
  return WallTime(duration_cast<WallTime::duration>(at.time_since_epoch() + *fraction));
}

}  // namespace tailback
