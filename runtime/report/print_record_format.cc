// Prints the recording's schema ("schema") or its field tables ("tables"), for the files that are
// made of them.
#include <cstdio>
#include <cstring>
#include <string>

#include "runtime/report/record_format.h"

int main(int argc, char** argv) {
  std::string text;
  if (argc == 2 && std::strcmp(argv[1], "schema") == 0) text = tailback::schema_text();
  if (argc == 2 && std::strcmp(argv[1], "tables") == 0) text = tailback::field_tables();
  if (text.empty()) {
    std::fputs("usage: print_record_format schema|tables\n", stderr);
    return 2;
  }
  return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
}
