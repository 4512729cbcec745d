#include "instrument/recorder/complaint.h"

#include <sys/syscall.h>

#include "instrument/recorder/machine.h"
#include "instrument/recorder/rules.h"

namespace tailback {

namespace {

constexpr int kLongest = 512;

class Line {
 public:
  void add(const char* text) {
    for (; *text && length_ < kLongest - 1; ++text) text_[length_++] = *text;
  }
  void write() {
    text_[length_++] = '\n';
    raw_syscall(SYS_write, 2, reinterpret_cast<long>(text_), length_);
  }

 private:
  char text_[kLongest];
  int length_ = 0;
};

}  // namespace

TAILBACK_COLD void complain(const char* what, const char* where) {
  Line line;
  line.add("tailback: ");
  line.add(what);
  line.add(where);
  line.write();
}

}  // namespace tailback
