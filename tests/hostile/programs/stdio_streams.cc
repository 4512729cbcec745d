// Bytes through stdio in every buffering mode, over pipes and files, by every function that reads
// and writes them: what came, how many, and what the stream says of itself.
#include <fcntl.h>
#include <stdio_ext.h>

#include "answers.h"

using namespace hostile;

namespace {

struct Buffering {
  const char* name;
  int mode;
  size_t size;
};
constexpr Buffering kBufferings[] = {{"unbuffered", _IONBF, 0},
                                     {"by line", _IOLBF, 64},
                                     {"fully", _IOFBF, 16},
                                     {"large", _IOFBF, 0}};

void state(FILE* stream) {
  say("  eof %d error %d", feof(stream), ferror(stream));
  say(" unlocked %d %d\n", feof_unlocked(stream), ferror_unlocked(stream));
}

void print_list(FILE* stream, const char* format, ...) __attribute__((format(printf, 2, 3)));
void print_list(FILE* stream, const char* format, ...) {
  va_list list;
  va_start(list, format);
  REPORT(vfprintf(stream, format, list));
  va_end(list);
}

void write_all(FILE* stream) {
  REPORT(fputs("fputs\n", stream));
  REPORT(fputs_unlocked("fputs_unlocked\n", stream));
  REPORT(fputc('c', stream));
  REPORT(putc('d', stream));
  REPORT(fputc_unlocked('e', stream));
  REPORT(putc_unlocked('\n', stream));
  REPORT(putw(0x0a414243, stream));
  REPORT(fwrite("fwrite\n", 7, 1, stream));
  REPORT(fwrite("in threes", 3, 3, stream));
  REPORT(fwrite("", 0, 9, stream));
  REPORT(fwrite_unlocked("\nunlocked\n", 1, 10, stream));
  REPORT(fprintf(stream, "%d %s\n", 12, "fprintf"));
  print_list(stream, "%d %s\n", 13, "vfprintf");
  REPORT(fprintf(stream, "%200d\n", 14));
  REPORT(fflush(stream));
  REPORT(fflush_unlocked(stream));
  REPORT(fputs("after the flush\n", stream));
  state(stream);
}

void read_all(FILE* stream) {
  char text[64] = "";
  REPORT(fgets(text, sizeof text, stream));
  say("  %s", text);
  REPORT(fgets_unlocked(text, sizeof text, stream));
  say("  %s", text);
  REPORT(fgetc(stream));
  REPORT(getc(stream));
  REPORT(ungetc('z', stream));
  REPORT(fgetc_unlocked(stream));
  REPORT(getc_unlocked(stream));
  REPORT(fgetc(stream));
  REPORT(getw(stream));
  memset(text, 0, sizeof text);
  REPORT(fread(text, 7, 1, stream));
  say("  %s", text);
  memset(text, 0, sizeof text);
  REPORT(fread_unlocked(text, 3, 3, stream));
  say("  %s\n", text);
  char* line = nullptr;
  size_t room = 0;
  REPORT(getline(&line, &room, stream));
  REPORT(getline(&line, &room, stream));
  say("  %s", line);
  int number = 0;
  char word[20] = "";
  REPORT(fscanf(stream, "%d %19s", &number, word));
  say("  %d %s\n", number, word);
  REPORT(fscanf(stream, "%19s %d", word, &number));
  REPORT(fscanf(stream, " %d", &number));
  say("  %s %d\n", word, number);
  REPORT(getdelim(&line, &room, 'r', stream));
  say("  %s\n", line);
  REPORT(getdelim(&line, &room, 'q', stream));
  say("  %s", line);
  state(stream);
  REPORT(getline(&line, &room, stream));
  REPORT(fgetc(stream));
  REPORT(fgets(text, sizeof text, stream));
  REPORT(fscanf(stream, "%d", &number));
  REPORT(fread(text, 1, 1, stream));
  clearerr(stream);
  state(stream);
  clearerr_unlocked(stream);
  free(line);
}

void* write_in_thread(void* stream) {
  write_all(static_cast<FILE*>(stream));
  REPORT(fclose(static_cast<FILE*>(stream)));
  return nullptr;
}

void set_buffering(FILE* stream, const Buffering& buffering) {
  REPORT(setvbuf(stream, nullptr, buffering.mode, buffering.size));
}

void over_a_pipe(const Buffering& buffering) {
  say("over a pipe, %s\n", buffering.name);
  Pipe pipe;
  FILE* in = fdopen(pipe.in(), "w");
  FILE* out = fdopen(pipe.out(), "r");
  set_buffering(in, buffering);
  set_buffering(out, buffering);
  // It all fits into the pipe: one after the other, so that the two don't print at once.
  pthread_t thread;
  pthread_create(&thread, nullptr, write_in_thread, in);
  pthread_join(thread, nullptr);
  read_all(out);
  REPORT(fclose(out));
}

void in_a_file(const Buffering& buffering) {
  say("in a file, %s\n", buffering.name);
  FILE* stream = fopen("streams.txt", "w+");
  set_buffering(stream, buffering);
  write_all(stream);
  say("  at %ld\n", ftell(stream));
  REPORT(fseek(stream, 0, SEEK_SET));
  read_all(stream);
  rewind(stream);
  fpos_t position;
  REPORT(fgetpos(stream, &position));
  REPORT(fgetc(stream));
  REPORT(fsetpos(stream, &position));
  REPORT(fseeko(stream, -3, SEEK_END));
  REPORT(fgetc(stream));
  say("  at %ld, pending %zu\n", static_cast<long>(ftello(stream)), __fpending(stream));
  REPORT(freopen64("streams.txt", "a", stream));
  REPORT(fputs("appended\n", stream));
  REPORT(freopen("streams.txt", "r", stream));
  REPORT(fseek(stream, -9, SEEK_END));
  char text[20] = "";
  REPORT(fgets(text, sizeof text, stream));
  say("  %s", text);
  REPORT(fclose(stream));
  REPORT(unlink("streams.txt"));
}

// Many lines, written and read at once through a pipe that is full most of the time.
void* pour(void* argument) {
  auto* stream = static_cast<FILE*>(argument);
  long written = 0;
  for (int i = 0; i < 20000; ++i) written += fprintf(stream, "%d\n", i);
  return reinterpret_cast<void*>(fclose(stream) == 0 ? written : -1);
}
void much_at_once() {
  Pipe pipe;
  fcntl(pipe.in(), F_SETPIPE_SZ, 4096);
  pthread_t thread;
  pthread_create(&thread, nullptr, pour, fdopen(pipe.in(), "w"));
  FILE* out = fdopen(pipe.out(), "r");
  char* line = nullptr;
  size_t room = 0;
  long bytes = 0;
  long sum = 0;
  for (ssize_t n; (n = getline(&line, &room, out)) > 0;) {
    bytes += n;
    sum += atol(line);
  }
  void* written = nullptr;
  pthread_join(thread, &written);
  say("poured %ld, read %ld, sum %ld\n", reinterpret_cast<long>(written), bytes, sum);
  state(out);
  free(line);
  fclose(out);
}

// Four threads share a stream; what one of them locks stays in one piece.
void* share(void* argument) {
  auto* stream = static_cast<FILE*>(argument);
  for (int i = 0; i < 500; ++i) {
    flockfile(stream);
    fputs("one ", stream);
    putc_unlocked('p', stream);
    fputs_unlocked("iece\n", stream);
    funlockfile(stream);
  }
  return nullptr;
}
void shared() {
  FILE* stream = tmpfile();
  setvbuf(stream, nullptr, _IOFBF, 32);
  pthread_t threads[4];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, share, stream);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  rewind(stream);
  int whole = 0;
  int lines = 0;
  char line[64];
  for (; fgets(line, sizeof line, stream); ++lines) whole += !strcmp(line, "one piece\n");
  say("shared: lines %d whole %d try %d\n", lines, whole, ftrylockfile(stream));
  funlockfile(stream);
  fclose(stream);
}

// What is left in standard output's buffer is written at exit, once.
void standard_output() {
  setvbuf(stdout, nullptr, _IOFBF, 4096);
  printf("printf %d\n", 1);
  puts("puts");
  putchar('c');
  putchar_unlocked('\n');
  REPORT(fflush(nullptr));
  fputs("stays in the buffer until the end\n", stdout);
  fprintf(stderr, "to standard error\n");
  perror("perror");
  REPORT(dprintf(STDOUT_FILENO, "dprintf\n"));
}

}  // namespace

int main() {
  for (const Buffering& buffering : kBufferings) {
    over_a_pipe(buffering);
    in_a_file(buffering);
  }
  much_at_once();
  shared();
  standard_output();
  say("done\n");
}
