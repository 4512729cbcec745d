// The words that reports are made of: lengths, names, escaped text, tables.
#include <gtest/gtest.h>

#include <utility>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "report_samples.h"
#include "runtime/report/duration_text.h"
#include "runtime/report/function_name.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/text_table.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(DurationText, Durations_ThreeDigitsOrTwoUnits) {
  EXPECT_EQ(duration_text(Nanoseconds(-5)), "0 ns");
  EXPECT_EQ(duration_text(Nanoseconds(999)), "999 ns");
  EXPECT_EQ(duration_text(Nanoseconds(1000)), "1.00 µs");
  EXPECT_EQ(duration_text(Nanoseconds(12'340)), "12.3 µs");
  EXPECT_EQ(duration_text(microseconds(3200)), "3.20 ms");
  EXPECT_EQ(duration_text(microseconds(400'123)), "400 ms");
  EXPECT_EQ(duration_text(microseconds(999'600)), "1.00 s");
  EXPECT_EQ(duration_text(seconds(2)), "2.00 s");
  EXPECT_EQ(duration_text(milliseconds(9'996)), "10.0 s");
  EXPECT_EQ(duration_text(milliseconds(59'940)), "59.9 s");
  EXPECT_EQ(duration_text(milliseconds(59'980)), "1 min 0 s");
  EXPECT_EQ(duration_text(seconds(63)), "1 min 3 s");
  EXPECT_EQ(duration_text(minutes(125)), "2 h 5 min");
  EXPECT_EQ(duration_text(hours(76)), "3 d 4 h");
  EXPECT_EQ(duration_text(Nanoseconds::max()), "106751 d 23 h");
}

TEST(DurationText, CountsAndShares_Text) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1'204'311), "1,204,311");
  EXPECT_EQ(count_text(UINT64_MAX), "18,446,744,073,709,551,615");
  EXPECT_EQ(count_text(1, "stall", "stalls"), "1 stall");
  EXPECT_EQ(count_text(2, "stall", "stalls"), "2 stalls");
  EXPECT_EQ(share_text(seconds(1), seconds(0)), "-");
  EXPECT_EQ(share_text(milliseconds(1), seconds(1)), "<1 %");
  EXPECT_EQ(share_text(seconds(0), seconds(1)), "0 %");
  EXPECT_EQ(share_text(seconds(1), seconds(3)), "33 %");
  EXPECT_EQ(saturating_sum(Nanoseconds::max(), Nanoseconds(1)), Nanoseconds::max());
}

TEST(TerminalEscape, ControlCharacters_Escaped) {
  EXPECT_EQ(escape_for_terminal("plain ünïcode 漢字", 80), "plain ünïcode 漢字");
  EXPECT_EQ(escape_for_terminal("a\n\r\t\x1b[2J\x7f\x01", 80), "a\\n\\r\\t\\x1b[2J\\x7f\\x01");
  EXPECT_EQ(escape_for_terminal(std::string_view("\0", 1), 80), "\\x00");
  EXPECT_EQ(escape_for_terminal("\xc2\x9b"
                                "31m",
                                80),
            "\\x9b31m");  // the one-character CSI
  EXPECT_EQ(escape_for_terminal("\xff\xc0\xaf\xed\xa0\x80\xe2\x82", 80),
            "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82");
  EXPECT_EQ(escape_for_terminal("\xe2\x80\xae"
                                "cba\xe2\x80\xa8",
                                80),
            "\\u202ecba\\u2028");
}

TEST(TerminalEscape, TooLong_CutAtEitherEnd) {
  EXPECT_EQ(escape_for_terminal("abcdef", 6), "abcdef");
  EXPECT_EQ(escape_for_terminal("abcdefg", 6), "abcde…");
  EXPECT_EQ(escape_for_terminal("abcdefg", 6, Cut::kBeginning), "…cdefg");
  EXPECT_EQ(escape_for_terminal("éééé", 3), "éé…");
  EXPECT_EQ(escape_for_terminal("abc\x1b", 6), "abc…");  // no half escape
  EXPECT_EQ(columns(escape_for_terminal(std::string(1 << 20, 'x'), 80)), 80U);
  EXPECT_EQ(columns(escape_for_terminal(std::string(1 << 20, 'x'), 80, Cut::kBeginning)), 80U);
  EXPECT_EQ(escape_for_terminal("", 0), "");
  EXPECT_EQ(utf8_prefix("éé", 3), "é");
}

TEST(FunctionName, TooLong_ArgumentsDropped) {
  EXPECT_EQ(short_function_name("f(int)", 40), "f(int)");
  EXPECT_EQ(short_function_name("std::map<std::string, int>::at(std::string const&)", 30),
            "std::map<…>::at(…)");
  EXPECT_EQ(
      short_function_name("(anonymous namespace)::load(std::vector<int, std::allocator<int>>)", 40),
      "(anonymous namespace)::load(…)");
  EXPECT_EQ(short_function_name("Big<aaaaaaaaaaaaaaaaaaaaaaaa>::operator()(int, int) const", 30),
            "Big<…>::operator()(…) const");
  EXPECT_EQ(short_function_name("Big<aaaaaaaaaaaaaaaaaaaaaaaa>::operator<<(int)", 25),
            "Big<…>::operator<<(int)");
  EXPECT_EQ(short_function_name("broken<<<<<<<<<<<<<<<<<<", 10), "broken<<<…");
  EXPECT_EQ(columns(short_function_name(std::string(1 << 20, '<'), 40)), 40U);
  EXPECT_EQ(short_function_name("\x1b", 40), "\\x1b");
}

TEST(FunctionName, Template_AsAuthorWrites) {
  const std::pair<const char*, const char*> kNames[] = {
      {"load(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > "
       "const&)",
       "load(std::string const&)"},
      {"Index::find[abi:cxx11](std::basic_string_view<char, std::char_traits<char> >) const",
       "Index::find(std::string_view) const"},
      {"f(std::__1::basic_string<wchar_t, std::__1::char_traits<wchar_t>, "
       "std::__1::allocator<wchar_t> >)",
       "f(std::wstring)"},
      {"f(std::basic_string<char16_t>(int), std::vector<char, std::allocator<char> >)",
       "f(std::basic_string<char16_t>(int), std::vector<char>)"},
      {"std::map<int, std::unique_ptr<Job, std::default_delete<Job> >, std::less<int>, "
       "std::allocator<std::pair<int const, std::unique_ptr<Job, std::default_delete<Job> > > > "
       ">::operator[](int const&)",
       "std::map<int, std::unique_ptr<Job>>::operator[](int const&)"},
      {"std::unordered_map<std::string, int, std::hash<std::string>, std::equal_to<std::string>, "
       "std::allocator<std::pair<std::string const, int> > >::clear()",
       "std::unordered_map<std::string, int>::clear()"},
      {"void std::this_thread::sleep_for<long, std::ratio<1l, 1000l> >(std::chrono::duration<long, "
       "std::ratio<1l, 1000l> > const&)",
       "std::this_thread::sleep_for<long, std::ratio<1l, 1000l>>(std::chrono::milliseconds "
       "const&)"},
      {"wait(std::chrono::duration<long, std::ratio<1l, 1l> >)", "wait(std::chrono::seconds)"},
      {"wait(std::chrono::duration<double>)", "wait(std::chrono::duration<double>)"},
      {"Program::tick()::{lambda(boost::system::error_code const&)#1}::operator()(int) const",
       "Program::tick()::{lambda}::operator()(int) const"},
      {"run()::{lambda(std::function<void (int)>)#2}::operator()() const",
       "run()::{lambda#2}::operator()() const"},
      {"Binder<Program::tick()::<lambda(const error_code&)>, int>::operator()",
       "Binder<Program::tick()::{lambda}, int>::operator()"},
      {"parse(char const*) [clone .isra.0] [clone .cold]", "parse(char const*)"},
      {"std::_Function_handler<void (), run()::{lambda()#1}>::_M_invoke(std::_Any_data const&)",
       "std::_Function_handler<void (), run()::{lambda}>::_M_invoke(std::_Any_data const&)"},
      {"void* (anonymous namespace)::run<void*, void* (*)(void*)>(void* (*)(void*), void*)",
       "(anonymous namespace)::run<void*, void* (*)(void*)>(void* (*)(void*), void*)"},
      {"Server::operator bool() const", "Server::operator bool() const"},
      {"bool operator< <int>(Box<int> const&, Box<int> const&)",
       "bool operator< <int>(Box<int> const&, Box<int> const&)"},
      {"Stream& operator<< <char>(Stream&, char)", "Stream& operator<< <char>(Stream&, char)"},
      {"non-virtual thunk to Cache<int>::flush()", "non-virtual thunk to Cache<int>::flush()"},
      {"<app::Task<T> as core::future::future::Future>::poll", "app::Task<T>::poll"},
      {"<main::deep::Reader<alloc::vec::Vec<u8>>>::load",
       "main::deep::Reader<alloc::vec::Vec<u8>>::load"},
      {"<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once",
       "alloc::boxed::Box<F, A>::call_once"},
      {"<&T as core::fmt::Display>::fmt", "core::fmt::Display::fmt"},
      {"core::ops::function::FnOnce::call_once{{vtable.shim}}",
       "core::ops::function::FnOnce::call_once"},
      {"tokio_loop::ask::{{closure}}", "tokio_loop::ask::{{closure}}"},
      {"a < b", "a < b"},
      {"f<", "f<"},
      {"lambda(", "lambda("},
      {"{lambda(", "{lambda("},
      {"{lambda()", "{lambda()"},
      {"<", "<"},
      {"<a::b as >", "a::b"},
      {"x [clone ", "x"},
      {"", ""},
  };
  for (const auto& [name, expected] : kNames) EXPECT_EQ(short_function_name(name, 400), expected);
  std::string deep = "f";
  for (int i = 0; i < 500; ++i) deep += "<std::vector";
  for (int i = 0; i < 500; ++i) deep += ">";
  EXPECT_EQ(short_function_name(deep, 20), "f<…>");
}

TEST(FunctionName, StillTooLong_OuterScopesDropped) {
  EXPECT_EQ(
      short_function_name("tailback::demo::(anonymous namespace)::block_on_read(Server&)", 30),
      "…::block_on_read(…)");
  EXPECT_EQ(short_function_name("a::very_long_namespace_name::Server<int>::on_read(int)", 24),
            "…::Server<…>::on_read(…)");
  EXPECT_EQ(short_function_name("f(a_namespace::of_a_parameter, another)", 12), "f(…)");
}

TEST(WallTimeText, LocalZone_Rfc3339) {
  use_utc();
  EXPECT_EQ(rfc3339(sample_time()), "2025-11-22T15:13:01.123+00:00");
  EXPECT_EQ(wall_time_text(sample_time()), "2025-11-22 15:13:01.123 +00:00");
  ::setenv("TZ", "XXX-5:30", 1);  // POSIX: east of Greenwich
  ::tzset();
  EXPECT_EQ(rfc3339(sample_time()), "2025-11-22T20:43:01.123+05:30");
  ::setenv("TZ", "YYY3", 1);
  ::tzset();
  EXPECT_EQ(rfc3339(sample_time()), "2025-11-22T12:13:01.123-03:00");
  use_utc();
  EXPECT_EQ(rfc3339(WallTime(milliseconds(-1))), "1969-12-31T23:59:59.999+00:00");
}

TEST(WallTimeText, Written_ReadBack) {
  EXPECT_EQ(parse_rfc3339("2025-11-22T20:43:01.123+05:30"), sample_time());
  EXPECT_EQ(parse_rfc3339("2025-11-22T15:13:01.123Z"), sample_time());
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999Z"), WallTime(milliseconds(-1)));
  for (const char* bad : {"", "2025", "2025-11-22", "2025-11-22T15:13:01", "2025-02-30T00:00:00Z",
                          "2025-11-22T24:00:00Z", "2025-11-22T15:13:01.Z", "9999-01-01T00:00:00Z",
                          "2025-11-22T15:13:01Zx", "-025-11-22T15:13:01Z"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

TEST(TextTable, Columns_AlignedEmptyDropped) {
  using Align = TextTable::Align;
  TextTable table({{"name"}, {"n", Align::kRight}, {"none"}, {"note"}});
  table.add_row({"é", "1", "", ""});
  table.add_row({"long", "1,000", "", "x"});
  EXPECT_EQ(table.render("  "),
            "  name      n  note\n"
            "  é         1\n"
            "  long  1,000  x\n");
}

}  // namespace
}  // namespace tailback
