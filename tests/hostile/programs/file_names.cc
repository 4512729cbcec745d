// What names files: stat and its old names, links, renames, permissions, sizes, times and moves of
// bytes between descriptors. Answers and errno, of success and of failure.
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <utime.h>

#include "answers.h"

using namespace hostile;

namespace {

constexpr char kAbsent[] = "/nowhere/at/all";
char* volatile nowhere = reinterpret_cast<char*>(8);

template <typename Status>
void say_status(const Status& status) {
  say("  mode %o links %lu size %ld\n", static_cast<unsigned>(status.st_mode),
      static_cast<unsigned long>(status.st_nlink), static_cast<long>(status.st_size));
}

template <typename Function>
Function old_function(const char* name) {
  const auto function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  if (!function) say("%s is not there\n", name);
  return function;
}

void by_stat() {
  struct stat status;
  struct stat64 large;
  struct statx more;
  const int file = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
  REPORT(write(file, "contents", 8));
  REPORT(symlink("file", "link"));
  REPORT(stat("link", &status));
  say_status(status);
  REPORT(lstat("link", &status));
  say("  link %d\n", S_ISLNK(status.st_mode));
  REPORT(fstat(file, &status));
  say_status(status);
  REPORT(fstatat(AT_FDCWD, "link", &status, AT_SYMLINK_NOFOLLOW));
  REPORT(stat64("file", &large));
  say_status(large);
  REPORT(lstat64("file", &large));
  REPORT(fstat64(file, &large));
  REPORT(fstatat64(file, "", &large, AT_EMPTY_PATH));
  REPORT(statx(AT_FDCWD, "file", 0, STATX_SIZE, &more));
  say("  size %lu\n", static_cast<unsigned long>(more.stx_size));
  REPORT(stat(kAbsent, &status));
  REPORT(stat(nowhere, &status));
  REPORT(lstat("file/below", &status));
  REPORT(fstat(-1, &status));
  REPORT(fstatat(-1, "relative", &status, 0));
  REPORT(statx(AT_FDCWD, kAbsent, 0, STATX_SIZE, &more));
  // As programs built long ago call them.
  using ByPath = int (*)(int, const char*, struct stat*);
  using ByDescriptor = int (*)(int, int, struct stat*);
  using ByBoth = int (*)(int, int, const char*, struct stat*, int);
  for (const char* name : {"__xstat", "__lxstat", "__xstat64", "__lxstat64"}) {
    const auto old_stat = old_function<ByPath>(name);
    say("%s\n", name);
    REPORT(old_stat(1, "file", &status));
    say_status(status);
    REPORT(old_stat(1, kAbsent, &status));
    REPORT(old_stat(99, "file", &status));
  }
  for (const char* name : {"__fxstat", "__fxstat64"}) {
    const auto old_stat = old_function<ByDescriptor>(name);
    REPORT(old_stat(1, file, &status));
    REPORT(old_stat(1, -1, &status));
  }
  const auto old_statat = old_function<ByBoth>("__fxstatat");
  REPORT(old_statat(1, AT_FDCWD, "link", &status, AT_SYMLINK_NOFOLLOW));
  REPORT(old_statat(1, -1, "link", &status, 0));
  struct statfs system;
  struct statvfs volume;
  REPORT(statfs(".", &system));
  REPORT(fstatfs(-1, &system));
  REPORT(statvfs(kAbsent, &volume));
  REPORT(fstatvfs(file, &volume));
  close(file);
}

void names() {
  char text[PATH_MAX] = "";
  REPORT(access("file", R_OK));
  REPORT(access(kAbsent, F_OK));
  REPORT(faccessat(AT_FDCWD, "file", W_OK, AT_EACCESS));
  REPORT(eaccess("file", R_OK));
  REPORT(readlink("link", text, 3));
  say("  %s\n", text);
  REPORT(readlinkat(AT_FDCWD, "file", text, sizeof text));
  REPORT(mkdir("directory", 0700));
  REPORT(mkdir("directory", 0700));
  REPORT(mkdirat(-1, "relative", 0700));
  REPORT(rename("file", "directory/moved"));
  REPORT(rename("file", "directory/moved"));
  REPORT(renameat(AT_FDCWD, "directory/moved", AT_FDCWD, "file"));
  REPORT(renameat2(AT_FDCWD, "file", AT_FDCWD, "link", RENAME_NOREPLACE));
  REPORT(link("file", "second"));
  REPORT(linkat(AT_FDCWD, kAbsent, AT_FDCWD, "third", 0));
  REPORT(symlinkat("loop", AT_FDCWD, "loop"));
  REPORT(open("loop", O_RDONLY));
  REPORT(realpath("loop", text));
  REPORT(realpath("directory/../link", text));
  say("  ends in %s\n", strrchr(text, '/'));
  REPORT(realpath("file/below", nullptr));
  char* name = canonicalize_file_name("directory/..");
  say("  named %d\n", name != nullptr);
  free(name);
  REPORT(mkfifo("fifo", 0600));
  REPORT(mkfifoat(AT_FDCWD, "fifo", 0600));
  REPORT(mknod("node", S_IFREG | 0600, 0));
  REPORT(chmod("file", 0600));
  REPORT(fchmodat(AT_FDCWD, kAbsent, 0600, 0));
  REPORT(chown("file", static_cast<uid_t>(-1), static_cast<gid_t>(-1)));
  REPORT(lchown(kAbsent, 0, 0));
  REPORT(fchownat(AT_FDCWD, "link", static_cast<uid_t>(-1), static_cast<gid_t>(-1),
                  AT_SYMLINK_NOFOLLOW));
  const timespec times[] = {{1, 0}, {2, 0}};
  const timeval values[] = {{3, 0}, {4, 0}};
  REPORT(utimensat(AT_FDCWD, "file", times, 0));
  REPORT(utimes("file", values));
  REPORT(lutimes("link", values));
  REPORT(utime(kAbsent, nullptr));
  struct stat status;
  stat("file", &status);
  say("  modified at %ld\n", static_cast<long>(status.st_mtime));
  REPORT(truncate("file", 4));
  REPORT(truncate64("file", 5));
  REPORT(truncate("file", -1));
  REPORT(truncate("directory", 0));
  REPORT(chdir("directory"));
  REPORT(chdir("file"));
  REPORT(rmdir("../directory/."));
  REPORT(chdir(".."));
  REPORT(rmdir("directory"));
  REPORT(unlink("directory"));
  REPORT(unlinkat(AT_FDCWD, "second", 0));
  REPORT(remove("loop"));
  REPORT(remove("fifo"));
  REPORT(remove("node"));
  REPORT(remove("node"));
}

void sizes_and_locks() {
  const int file = open("file", O_RDWR);
  const int again = open("file", O_RDWR);
  Pipe pipe(O_NONBLOCK);
  REPORT(ftruncate(file, 100));
  REPORT(ftruncate64(-1, 1));
  REPORT(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 200));
  REPORT(fallocate(pipe.in(), 0, 0, 1));
  // These answer with the error, and leave errno alone.
  REPORT(posix_fallocate(file, 0, 300));
  REPORT(posix_fallocate64(file, 0, 0));
  REPORT(posix_fallocate(pipe.in(), 0, 1));
  REPORT(posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED));
  REPORT(posix_fadvise(pipe.out(), 0, 0, POSIX_FADV_WILLNEED));
  REPORT(posix_fadvise(file, 0, 0, 99));
  REPORT(readahead(file, 0, 100));
  REPORT(readahead(-1, 0, 100));
  REPORT(sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE));
  REPORT(syncfs(file));
  REPORT(syncfs(-1));
  REPORT(flock(file, LOCK_EX));
  REPORT(flock(again, LOCK_SH | LOCK_NB));
  REPORT(flock(file, LOCK_UN));
  REPORT(flock(-1, LOCK_EX));
  REPORT(lockf(file, F_LOCK, 10));
  REPORT(lockf64(file, F_TLOCK, 10));
  REPORT(lockf(file, F_TEST, 10));
  REPORT(lockf(file, F_ULOCK, 10));
  REPORT(lockf(file, 99, 10));
  REPORT(lseek(file, 0, SEEK_SET));
  void* map = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  REPORT(msync(map, 4096, MS_SYNC));
  REPORT(msync(static_cast<char*>(map) + 1, 1, MS_SYNC));
  REPORT(mlock(map, 4096));
  REPORT(mlock2(map, 4096, 99));
  REPORT(munlock(map, 4096));
  REPORT(munmap(map, 4096));
  REPORT(msync(map, 4096, MS_SYNC));
  close(again);
  close(file);
}

void moves() {
  const int from = open("file", O_RDWR | O_TRUNC);
  const int to = open("other", O_RDWR | O_CREAT | O_TRUNC, 0600);
  Pipe one(O_NONBLOCK);
  Pipe two(O_NONBLOCK);
  (void)!write(from, "0123456789", 10);
  off_t offset = 2;
  off64_t in = 1;
  off64_t out = 0;
  REPORT(sendfile(to, from, &offset, 5));
  say("  offset %ld\n", static_cast<long>(offset));
  REPORT(sendfile64(to, from, nullptr, 5));
  REPORT(sendfile(to, -1, nullptr, 5));
  REPORT(copy_file_range(from, &in, to, &out, 4, 0));
  say("  offsets %ld %ld\n", static_cast<long>(in), static_cast<long>(out));
  REPORT(copy_file_range(from, &in, to, &out, 4, 99));
  in = 0;
  REPORT(splice(from, &in, one.in(), nullptr, 6, 0));
  REPORT(tee(one.out(), two.in(), 4, 0));
  REPORT(splice(one.out(), nullptr, to, nullptr, 100, 0));
  REPORT(splice(one.out(), nullptr, to, nullptr, 100, SPLICE_F_NONBLOCK));
  REPORT(tee(one.out(), two.in(), 4, SPLICE_F_NONBLOCK));
  char text[] = "spliced";
  const iovec vector = {text, 7};
  REPORT(vmsplice(one.in(), &vector, 1, 0));
  REPORT(vmsplice(-1, &vector, 1, 0));
  char read_back[32] = "";
  REPORT(read(one.out(), read_back, sizeof read_back));
  say("  %s\n", read_back);
  memset(read_back, 0, sizeof read_back);
  REPORT(pread(to, read_back, sizeof read_back - 1, 0));
  say("  %s\n", read_back);
  close(from);
  close(to);
}

}  // namespace

int main() {
  umask(022);
  by_stat();
  names();
  sizes_and_locks();
  moves();
  for (const char* name : {"file", "link", "other"}) unlink(name);
  sync();
  say("done\n");
}
