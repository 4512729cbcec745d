// Lives within narrow limits: sets one, then executes itself.
//   limits files | memory | size | processes
#include <grp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "program.h"

using namespace hostile;

namespace {

void* work(void*) {
  Loop loop;
  loop.warm_up();
  loop.run(2, [](int) { burn_ms(25); });
  return nullptr;
}

void limit(int resource, rlim_t value) {
  const rlimit wanted = {value, value};
  say("limit %d\n", setrlimit(static_cast<__rlimit_resource>(resource), &wanted));
}

void say_thread(const char* what) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  const int result = pthread_create(&thread, &attributes, work, nullptr);
  say("%s: pthread_create %d\n", what, result);
  if (result == 0) pthread_join(thread, nullptr);
}

void narrow(const char* what) {
  if (!strcmp(what, "files")) limit(RLIMIT_NOFILE, 8);
  if (!strcmp(what, "memory")) limit(RLIMIT_AS, rlim_t{100} << 20);
  if (!strcmp(what, "size")) limit(RLIMIT_FSIZE, 4096);
  if (!strcmp(what, "processes")) {
    limit(RLIMIT_NPROC, 1);
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) say("not root\n");
  }
}

void live(const char* what) {
  work(nullptr);
  say_thread(what);
  if (!strcmp(what, "files")) {
    int opened = 0;
    while (dup(1) >= 0) ++opened;
    say("opened %d errno %d\n", opened, errno);
    say("epoll_create %d", epoll_create1(0));
    say(" errno %d\n", errno);
    closefrom(3);
    say_thread(what);
  }
  if (!strcmp(what, "memory")) {
    // Most of what the limit leaves.
    void* block =
        mmap(nullptr, size_t{70} << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    verdict("there is room", block != MAP_FAILED);
    void* more =
        mmap(nullptr, size_t{70} << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("and no more: %d errno %d\n", more == MAP_FAILED, errno);
  }
  const pid_t child = fork();
  if (child == 0) {
    work(nullptr);
    _exit(16);
  }
  if (child < 0) {
    say("fork: errno %d\n", errno);
  } else {
    say_ending("child", wait_for(child));
  }
  say("done\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) {
    narrow(argv[1]);
    execl("/proc/self/exe", argv[0], argv[1], "within", static_cast<char*>(nullptr));
    return 127;
  }
  if (argc == 3) live(argv[1]);
}
