// The table against the libc of this machine: whatever may wait is in it, under each of its names,
// or is excepted here for a reason.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>
#include <stdio.h>

#include <map>
#include <set>
#include <sstream>
#include <string>

#include "instrument/contract/intercepts.h"
#include "tests/architecture/shared_object.h"

namespace tailback {
namespace {

using Names = std::set<std::string>;

Names words(const char* text) {
  std::istringstream stream(text);
  Names names;
  for (std::string word; stream >> word;) names.insert(word);
  return names;
}

// POSIX.1-2017, XSH 2.9.5.2: "shall occur", and what 2024 adds.
const Names& cancellation_points() {
  static const Names names = words(R"(
    accept accept4 aio_suspend clock_nanosleep close connect creat fcntl fdatasync fsync getmsg
    getpmsg lockf mq_receive mq_send mq_timedreceive mq_timedsend msgrcv msgsnd msync nanosleep open
    openat pause poll posix_close ppoll pread pselect pthread_cond_clockwait pthread_cond_timedwait
    pthread_cond_wait pthread_join pthread_testcancel putmsg putpmsg pwrite read readv recv recvfrom
    recvmsg select sem_clockwait sem_timedwait sem_wait send sendmsg sendto sigsuspend sigtimedwait
    sigwait sigwaitinfo sleep system tcdrain thrd_join thrd_sleep usleep wait waitid waitpid write
    writev cnd_timedwait cnd_wait)");
  return names;
}

// The same place: "may occur".
const Names& possible_cancellation_points() {
  static const Names names = words(R"(
    access asctime_r catclose catgets catopen chmod chown closedir closelog ctermid ctime_r
    dlclose dlopen dprintf endgrent endhostent endnetent endprotoent endpwent endservent endutxent
    faccessat fchmod fchmodat fchown fchownat fclose fcntl fflush fgetc fgetpos fgets fgetwc fgetws
    fmtmsg fopen fpathconf fprintf fputc fputs fputwc fputws fread freopen fscanf fseek fseeko
    fsetpos fstat fstatat ftell ftello ftw futimens fwprintf fwrite fwscanf getaddrinfo getc
    getc_unlocked getchar getchar_unlocked getcwd getdate getdelim getgrent getgrgid getgrgid_r
    getgrnam getgrnam_r gethostent gethostid gethostname getline getlogin getlogin_r getnameinfo
    getnetbyaddr getnetbyname getnetent getopt getprotobyname getprotobynumber getprotoent getpwent
    getpwnam getpwnam_r getpwuid getpwuid_r gets getservbyname getservbyport getservent getutxent
    getutxid getutxline getwc getwchar glob iconv_close iconv_open ioctl link linkat lio_listio
    localtime localtime_r lockf lseek lstat mkdir mkdirat mkdtemp mkfifo mkfifoat mknod mknodat
    mkstemp mktime nftw opendir openlog pathconf pclose perror popen posix_fadvise posix_fallocate
    posix_madvise posix_openpt posix_spawn posix_spawnp posix_typed_mem_open printf psiginfo psignal
    pthread_rwlock_rdlock pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock
    pthread_rwlock_wrlock putc putc_unlocked putchar putchar_unlocked puts pututxline putwc putwchar
    readdir readdir_r readlink readlinkat remove rename renameat rewind rewinddir scandir scanf
    seekdir semop setgrent sethostent setnetent setprotoent setpwent setservent setutxent sigpause
    stat strerror strerror_r strftime symlink symlinkat sync syslog tmpfile tmpnam truncate ftruncate
    ttyname ttyname_r tzset ungetc ungetwc unlink unlinkat utime utimensat utimes vdprintf vfprintf
    vfwprintf vprintf vwprintf wcsftime wordexp wprintf wscanf)");
  return names;
}

struct Exception {
  const char* names;
  const char* reason;
};

constexpr Exception kExceptions[] = {
    {"pthread_testcancel", "a cancellation point and nothing else: it never waits"},
    {"getmsg getpmsg putmsg putpmsg", "STREAMS, which Linux has not: they fail at once"},
    {"asctime_r ctime_r ctermid gethostname getopt strerror strerror_r ungetc ungetwc catgets",
     "work in memory"},
    {"localtime localtime_r mktime strftime wcsftime tzset",
     "read the zone's file once, and are called for every line of many logs"},
    {"getdate fmtmsg", "read or write through streams, whose functions are in the table"},
    {"catclose iconv_close", "unmap what was read"},
    {"lseek", "sets an offset"},
    {"posix_madvise", "advice: takes memory's lock, and reads nothing"},
};

const Names& excepted() {
  static const Names names = [] {
    Names all;
    for (const Exception& exception : kExceptions) all.merge(words(exception.names));
    return all;
  }();
  return names;
}

const Names& table() {
  static const Names names = [] {
    Names all;
    for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
      all.insert(intercept::kFunctions[i].name);
    }
    return all;
  }();
  return names;
}

class Completeness : public ::testing::Test {
 protected:
  static const SharedObject& libc() {
    static const SharedObject object(path());
    return object;
  }

  // What programs can be linked with. GLIBC_PRIVATE is for libc's own libraries.
  static bool is_public(const DynamicSymbol& symbol) {
    return symbol.defined && symbol.version != "GLIBC_PRIVATE";
  }

  static bool exports(const std::string& name) {
    static const Names exported = [] {
      Names names;
      for (const DynamicSymbol& symbol : libc().symbols) {
        if (is_public(symbol) && !symbol.hidden_version) names.insert(symbol.name);
      }
      return names;
    }();
    return exported.contains(name);
  }

  static void expect_covered(const Names& names) {
    for (const std::string& name : names) {
      if (!exports(name) || excepted().contains(name)) continue;
      EXPECT_TRUE(table().contains(name)) << name << " may wait, and is not in the table";
    }
  }

 private:
  static std::string path() {
    Dl_info info{};
    EXPECT_NE(dladdr(reinterpret_cast<void*>(&fopen), &info), 0);
    return info.dli_fname ? info.dli_fname : "";
  }
};

TEST_F(Completeness, Libc_Read) {
  EXPECT_TRUE(exports("read"));
  EXPECT_TRUE(exports("pthread_mutex_lock"));
  EXPECT_FALSE(exports("io_uring_submit"));
}

TEST_F(Completeness, CancellationPoints_AllInTable) {
  expect_covered(cancellation_points());
}

TEST_F(Completeness, PossibleCancellationPoints_AllInTable) {
  expect_covered(possible_cancellation_points());
}

TEST_F(Completeness, Exceptions_NotInTable) {
  for (const std::string& name : excepted()) EXPECT_FALSE(table().contains(name)) << name;
}

// One function of libc's may have several names; a program may have been linked with any.
TEST_F(Completeness, Aliases_AllInTable) {
  std::map<uint64_t, std::string> in_table;
  for (const DynamicSymbol& symbol : libc().symbols) {
    if (is_public(symbol) && !symbol.hidden_version && table().contains(symbol.name)) {
      in_table.emplace(symbol.value, symbol.name);
    }
  }
  EXPECT_GT(in_table.size(), 300u);
  for (const DynamicSymbol& symbol : libc().symbols) {
    if (!is_public(symbol) || symbol.type != STT_FUNC) continue;
    const auto same = in_table.find(symbol.value);
    if (same == in_table.end()) continue;
    EXPECT_TRUE(table().contains(symbol.name)) << symbol.name << " is " << same->second;
  }
}

// The twin of a fortified program, and the one of 64-bit offsets.
TEST_F(Completeness, Variants_AllInTable) {
  for (const std::string& name : table()) {
    for (const std::string& twin :
         {"__" + name + "_chk", name + "64", "__" + name + "_2", "__" + name + "64_2",
          name + "_unlocked", "__isoc99_" + name, "__" + name}) {
      if (!exports(twin)) continue;
      EXPECT_TRUE(table().contains(twin)) << twin << ", for " << name;
    }
  }
}

// liburing's names are not libc's, nor is what a program marks its own wait with, and some are
// those of a later libc.
TEST_F(Completeness, TableEntries_ExportedByLibcOrLiburing) {
  for (const std::string& name : table()) {
    if (name.starts_with("io_uring_") || name.starts_with("__io_uring_")) continue;
    if (name.starts_with("__isoc23_") || name == "tailback_wait") continue;
    const bool kept_for_old_programs = name.starts_with("__res_") || name.starts_with("__pthread_");
    EXPECT_TRUE(exports(name) || kept_for_old_programs) << name;
  }
}

}  // namespace
}  // namespace tailback
