// Wide characters through stdio, in a locale that has them and in one that has not.
#include <fcntl.h>
#include <locale.h>
#include <wchar.h>

#include "answers.h"

using namespace hostile;

namespace {

void say_wide(const wchar_t* text) {
  for (; *text; ++text) say(" %x", static_cast<unsigned>(*text));
  say("\n");
}

void print_list(FILE* stream, const wchar_t* format, ...) {
  va_list list;
  va_start(list, format);
  REPORT(vfwprintf(stream, format, list));
  va_end(list);
}

int scan_list(FILE* stream, const wchar_t* format, ...) {
  va_list list;
  va_start(list, format);
  const int result = vfwscanf(stream, format, list);
  va_end(list);
  return result;
}

void write_all(FILE* stream) {
  REPORT(fwide(stream, 0));
  REPORT(fputws(L"fputws \u00e9\u20ac\n", stream));
  REPORT(fputws_unlocked(L"unlocked \U0001f600\n", stream));
  REPORT(fputwc(L'\u00e9', stream));
  REPORT(putwc(L'b', stream));
  REPORT(fputwc_unlocked(L'c', stream));
  REPORT(putwc_unlocked(L'\n', stream));
  REPORT(fwprintf(stream, L"%d %ls\n", 12, L"fwprintf"));
  print_list(stream, L"%d %ls\n", 13, L"vfwprintf");
  REPORT(fwide(stream, -1));
  // A narrow call on a wide stream.
  REPORT(fputs("narrow\n", stream));
  REPORT(fflush(stream));
  say("  error %d\n", ferror(stream));
  clearerr(stream);
}

void read_all(FILE* stream) {
  wchar_t text[64] = L"";
  REPORT(fgetws(text, 64, stream));
  say_wide(text);
  REPORT(fgetws_unlocked(text, 64, stream));
  say_wide(text);
  REPORT(fgetwc(stream));
  REPORT(getwc(stream));
  REPORT(ungetwc(L'x', stream));
  REPORT(fgetwc_unlocked(stream));
  REPORT(getwc_unlocked(stream));
  REPORT(fgetwc(stream));
  int number = 0;
  REPORT(fwscanf(stream, L"%d %60ls", &number, text));
  say("  %d", number);
  say_wide(text);
  REPORT(scan_list(stream, L"%d %60ls", &number, text));
  say("  %d", number);
  say_wide(text);
  REPORT(fgetwc(stream));
  REPORT(fgetwc(stream));
  REPORT(fgetws(text, 64, stream));
  say("  eof %d error %d\n", feof(stream), ferror(stream));
}

void round_trip(const char* locale, bool by_pipe) {
  say("%s %s: %d\n", locale, by_pipe ? "pipe" : "file", setlocale(LC_ALL, locale) != nullptr);
  Pipe pipe;
  FILE* in = by_pipe ? fdopen(pipe.in(), "w") : fopen("wide.txt", "w");
  write_all(in);
  REPORT(fclose(in));
  FILE* out = by_pipe ? fdopen(pipe.out(), "r") : fopen("wide.txt", "r");
  read_all(out);
  REPORT(fclose(out));
  unlink("wide.txt");
}

void bad_bytes() {
  FILE* stream = fopen("bad.txt", "w+");
  fputs("a\xff\xfe", stream);
  REPORT(freopen("bad.txt", "r,ccs=UTF-8", stream));
  REPORT(fgetwc(stream));
  REPORT(fgetwc(stream));
  say("  error %d\n", ferror(stream));
  fclose(stream);
  unlink("bad.txt");
}

}  // namespace

int main() {
  for (const char* locale : {"C", "C.UTF-8"}) {
    for (const bool by_pipe : {true, false}) round_trip(locale, by_pipe);
  }
  bad_bytes();
  setvbuf(stdout, nullptr, _IOLBF, 0);
  REPORT(wprintf(L"wprintf %d \u20ac\n", 14));
  REPORT(putwchar(L'\n'));
  REPORT(fwide(stdout, 0));
  REPORT(fflush(stdout));
  say("done\n");
}
