// Streams that fail: full disks, closed pipes and descriptors, nothing to read yet, signals in the
// middle; and streams whose bytes come from the program itself.
#include <fcntl.h>
#include <stdio_ext.h>

#include <string>

#include "answers.h"

using namespace hostile;

namespace {

char volatile letter = 'x';
std::string long_text(size_t length) {
  return std::string(length, letter);
}

void state(FILE* stream) {
  say("  eof %d error %d\n", feof(stream), ferror(stream));
}

void no_such_thing() {
  REPORT(fopen("/nowhere/at/all", "r"));
  REPORT(fopen64("/nowhere/at/all", "w"));
  REPORT(fopen("/", "w"));
  REPORT(fopen("/", "nonsense"));
  REPORT(fdopen(-1, "r"));
  REPORT(fdopen(999, "r"));
  REPORT(freopen("/nowhere/at/all", "r", fopen("/dev/null", "r")));
  REPORT(popen("true", "nonsense"));
  FILE* directory = fopen("/", "r");
  REPORT(fgetc(directory));
  state(directory);
  REPORT(fclose(directory));
}

void wrong_way() {
  FILE* only_read = fopen("/dev/zero", "r");
  REPORT(fputs("text", only_read));
  REPORT(fputc('c', only_read));
  REPORT(fwrite("text", 1, 4, only_read));
  REPORT(fprintf(only_read, "%s", "text"));
  state(only_read);
  fclose(only_read);
  FILE* only_write = fopen("/dev/null", "w");
  char text[8];
  REPORT(fgets(text, sizeof text, only_write));
  REPORT(fread(text, 1, 4, only_write));
  REPORT(fgetc(only_write));
  state(only_write);
  fclose(only_write);
}

void full_disk() {
  const std::string text = long_text(10000);
  for (const int mode : {_IONBF, _IOLBF, _IOFBF}) {
    FILE* full = fopen("/dev/full", "w");
    setvbuf(full, nullptr, mode, 4096);
    REPORT(fputs("a line\n", full));
    REPORT(fflush(full));
    state(full);
    clearerr(full);
    REPORT(fwrite(text.data(), 1, text.size(), full));
    REPORT(fprintf(full, "%s", text.c_str()));
    REPORT(fputs(text.c_str(), full));
    REPORT(putc('\n', full));
    state(full);
    REPORT(fseek(full, 0, SEEK_SET));
    REPORT(fclose(full));
  }
}

void closed_beneath() {
  FILE* stream = fopen("/dev/null", "w");
  REPORT(fputs("text", stream));
  close(fileno(stream));
  REPORT(fflush(stream));
  state(stream);
  REPORT(fclose(stream));
  FILE* reading = fopen("/dev/zero", "r");
  close(fileno(reading));
  REPORT(fgetc(reading));
  state(reading);
  REPORT(fclose(reading));
}

void broken_pipe() {
  Pipe pipe;
  close(pipe.out());
  FILE* stream = fdopen(pipe.in(), "w");
  REPORT(fputs("text", stream));
  REPORT(fflush(stream));
  state(stream);
  REPORT(fclose(stream));
}

void not_yet() {
  Pipe pipe(O_NONBLOCK);
  FILE* in = fdopen(pipe.in(), "w");
  FILE* out = fdopen(pipe.out(), "r");
  char text[16] = "";
  REPORT(fgetc(out));
  state(out);
  clearerr(out);
  REPORT(fputs("half", in));
  REPORT(fflush(in));
  REPORT(fgets(text, sizeof text, out));
  say("  %s\n", text);
  state(out);
  clearerr(out);
  char* line = nullptr;
  size_t room = 0;
  REPORT(getline(&line, &room, out));
  clearerr(out);
  // More than the pipe holds.
  const std::string much = long_text(1 << 20);
  const size_t written = fwrite(much.data(), 1, much.size(), in);
  say("written less %d, errno %d\n", written < much.size(), errno);
  state(in);
  free(line);
  fclose(out);
  __fpurge(in);
  fclose(in);
}

void on_alarm(int) {}

// A signal whose handler does not restart ends a read, and a write to a full pipe.
void interrupted() {
  for (const int flags : {0, SA_RESTART}) {
    handle(SIGALRM, on_alarm, flags);
    Pipe pipe;
    FILE* out = fdopen(pipe.out(), "r");
    const pid_t child = fork();
    if (child == 0) {
      usleep(400000);
      _exit((write(pipe.in(), "late\n", 5) == 5) ? 0 : 1);
    }
    char text[16] = "";
    alarm_every_ms(20);
    errno = kUntouched;
    const char* got = fgets(text, sizeof text, out);
    const int error = errno;
    alarm_every_ms(0);
    say("fgets %s, errno %d\n", got ? "something" : "nothing", error);
    state(out);
    clearerr(out);
    if (!got) {
      REPORT(fgets(text, sizeof text, out));
      say("  %s", text);
    }
    say_ending("child", wait_for(child));
    fclose(out);
    close(pipe.in());
  }
  handle(SIGALRM, on_alarm, 0);
  Pipe pipe;
  FILE* in = fdopen(pipe.in(), "w");
  const std::string much = long_text(1 << 20);
  alarm_every_ms(20);
  errno = kUntouched;
  const bool less = fwrite(much.data(), 1, much.size(), in) < much.size();
  const int error = errno;
  alarm_every_ms(0);
  say("fwrite less %d, errno %d\n", less, error);
  __fpurge(in);
  fclose(in);
}

// Streams that call the program back, from within libc.
ssize_t give(void* cookie, char* buffer, size_t size) {
  char byte;
  (void)!read(-1, &byte, 1);
  int& calls = *static_cast<int*>(cookie);
  if (++calls > 3) {
    errno = EXDEV;
    return calls > 4 ? 0 : -1;
  }
  return snprintf(buffer, size, "given %d\n", calls);
}
ssize_t take(void*, const char* text, size_t size) {
  const timespec moment = {0, 1000};
  nanosleep(&moment, nullptr);
  say("  taken %zu %c\n", size, *text);
  return static_cast<ssize_t>(size);
}
int leave(void*) {
  say("  closed\n");
  errno = EDOM;
  return -1;
}
void of_its_own() {
  int calls = 0;
  FILE* cookie = fopencookie(&calls, "r+", {give, take, nullptr, leave});
  char text[32] = "";
  for (int i = 0; i < 4; ++i) REPORT(fgets(text, sizeof text, cookie));
  state(cookie);
  REPORT(fputs("abc", cookie));
  REPORT(fflush(cookie));
  REPORT(fclose(cookie));
  char* memory = nullptr;
  size_t size = 0;
  FILE* growing = open_memstream(&memory, &size);
  REPORT(fprintf(growing, "%s", long_text(3000).c_str()));
  REPORT(fclose(growing));
  say("  size %zu\n", size);
  FILE* reading = fmemopen(memory, 5, "r");
  REPORT(fread(text, 1, 10, reading));
  state(reading);
  REPORT(fclose(reading));
  free(memory);
}

}  // namespace

int main() {
  signal(SIGPIPE, SIG_IGN);
  no_such_thing();
  wrong_way();
  full_disk();
  closed_beneath();
  broken_pipe();
  not_yet();
  interrupted();
  of_its_own();
  say("done\n");
}
