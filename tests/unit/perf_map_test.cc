// Names for the code of just-in-time compilers: lines, files of lines and whose they are. What the
// files say is the target's word.
#include "runtime/symbolize/perf_map.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "runtime/symbolize/jit_name.h"
#include "runtime/symbolize/perf_map_file.h"
#include "runtime/symbolize/perf_maps.h"

namespace tailback {
namespace {

namespace fs = std::filesystem;

std::string line_text(std::string_view text) {
  const auto line = parse_perf_map_line(text);
  if (!line) return "nothing";
  return std::to_string(line->begin) + "+" + std::to_string(line->size) + " " +
         std::string(line->name);
}

TEST(PerfMapLine, WellFormed_Parsed) {
  EXPECT_EQ(line_text("1000 20 name with blanks"), "4096+32 name with blanks");
  EXPECT_EQ(line_text("0x00007fed44ecce00 0x0000000000000238 double Busy.work(int)"),
            "140657040346624+568 double Busy.work(int)");
  EXPECT_EQ(line_text("FF 0XF f\r"), "255+15 f");
}

TEST(PerfMapLine, Malformed_Nothing) {
  for (const char* text :
       {"", " ", "1000", "1000 20", "1000 20 ", "1000  20 f", "-1000 20 f", "1000 -20 f", "x 20 f",
        "1000 zz f", "1000\t20\tf", "0 20 f", "1000 0 f", "0x 20 f", "1000 40000001 f",
        "ffffffffffffffff 20 f", "1ffffffffffffffff 20 f", "#1000 20 f", "\n1000 20 f"}) {
    EXPECT_EQ(line_text(text), "nothing") << text;
  }
}

TEST(PerfMap, OverlappingLines_LastWins) {
  PerfMap map;
  const auto place = [&](uint64_t address) -> int {
    const auto entry = map.find(address);
    return entry ? static_cast<int>(entry->place) : -1;
  };
  EXPECT_EQ(place(0x1000), -1);
  map.add(0x1000, 0x100, 1);
  map.add(0x1100, 0x100, 2);
  map.add(0x1300, 0x100, 3);
  EXPECT_EQ(place(0xfff), -1);
  EXPECT_EQ(place(0x1000), 1);
  EXPECT_EQ(place(0x10ff), 1);
  EXPECT_EQ(place(0x1100), 2);
  EXPECT_EQ(place(0x1200), -1);
  map.add(0x10f0, 0x20, 4);  // what it touches is gone
  EXPECT_EQ(place(0x1000), -1);
  EXPECT_EQ(place(0x1100), 4);
  EXPECT_EQ(place(0x1110), -1);
  map.add(0x1300, 0x100, 5);
  EXPECT_EQ(place(0x1380), 5);
  map.add(0x1000, 0x1000, 6);
  EXPECT_EQ(place(0x1380), 6);
  EXPECT_EQ(map.size(), 1u);
  map.add(0x1800, 0x10, 7);
  EXPECT_EQ(place(0x1800), 7);
  EXPECT_EQ(place(0x1380), -1);
}

TEST(PerfMap, ManySymbols_Bounded) {
  PerfMap map;
  for (uint64_t i = 1; i <= PerfMap::kMostEntries; ++i) map.add(i * 16, 16, i);
  EXPECT_FALSE(map.full());
  map.add(16, 16, 0);  // in place of another
  EXPECT_FALSE(map.full());
  map.add((PerfMap::kMostEntries + 1) * 16, 16, 0);
  EXPECT_TRUE(map.full());
  EXPECT_EQ(map.size(), PerfMap::kMostEntries);
  EXPECT_EQ(map.find(32)->place, 2u);
}

class PerfMapFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "perf_map.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/perf-1.map";
  }
  void TearDown() override { fs::remove_all(directory_); }

  void append(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
  }
  void write(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
  }
  int open_it() const { return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC); }

  std::string directory_;
  std::string path_;
};

std::string name(const PerfMapFile& file, uint64_t address) {
  return file.name_at(address).value_or("nothing");
}

TEST_F(PerfMapFileTest, Grows_ReadOn) {
  write("");
  PerfMapFile file(open_it());
  file.read_on();
  EXPECT_EQ(name(file, 0x1000), "nothing");
  append("1000 10 one\n2000 10 tw");
  file.read_on();
  EXPECT_EQ(name(file, 0x100f), "one");
  EXPECT_EQ(name(file, 0x1010), "nothing");
  EXPECT_EQ(name(file, 0x2000), "nothing");  // nobody knows how the name goes on
  append("o\n1008 10 three\n");
  file.read_on();
  EXPECT_EQ(name(file, 0x2000), "two");
  EXPECT_EQ(name(file, 0x1008), "three");
  EXPECT_EQ(name(file, 0x1000), "nothing");
  EXPECT_FALSE(file.is_cut());
}

TEST_F(PerfMapFileTest, Rewritten_ReadAgain) {
  write("1000 10 one\n2000 10 two\n");
  PerfMapFile file(open_it());
  file.read_on();
  write("3000 10 three\n");                  // shorter
  EXPECT_EQ(name(file, 0x1000), "nothing");  // the line is another
  file.read_on();
  EXPECT_EQ(name(file, 0x1000), "nothing");
  EXPECT_EQ(name(file, 0x3000), "three");
  write("1000 10 other\n2000 10 names\n3000 10 here\n");  // longer
  file.read_on();
  EXPECT_EQ(name(file, 0x1000), "other");
  EXPECT_EQ(name(file, 0x3000), "here");
  EXPECT_EQ(file.size(), 3u);
}

TEST_F(PerfMapFileTest, GarbageAndLongLines_Skipped) {
  std::string garbage(100000, '\xff');
  for (size_t i = 0; i < garbage.size(); i += 97) garbage[i] = i % 2 == 0 ? '\n' : '\0';
  const std::string longest = "2000 10 " + std::string(PerfMapFile::kLongestLine - 8, 'x');
  write("1000 10 one\n" + garbage + "\n" + longest + "\n3000 10 " +
        std::string(PerfMapFile::kLongestLine, 'x') + "\n4000 10 " + std::string(700000, 'y'));
  PerfMapFile file(open_it());
  file.read_on();
  EXPECT_EQ(name(file, 0x1000), "one");
  EXPECT_EQ(name(file, 0x2000).size(), PerfMapFile::kLongestLine - 8);
  EXPECT_EQ(name(file, 0x3000), "nothing");
  append("1000 10 still the same line");
  file.read_on();
  append("\n5000 10 five\n");
  file.read_on();
  EXPECT_EQ(name(file, 0x1000), "one");
  EXPECT_EQ(name(file, 0x4000), "nothing");
  EXPECT_EQ(name(file, 0x5000), "five");
  EXPECT_EQ(file.size(), 3u);
}

TEST_F(PerfMapFileTest, HugeFile_BeginningRead) {
  write("1000 10 one\n");
  ASSERT_EQ(truncate(path_.c_str(), PerfMapFile::kLargestFile * 4), 0);
  append("\n2000 10 two\n");
  PerfMapFile file(open_it());
  file.read_on();
  EXPECT_TRUE(file.is_cut());
  EXPECT_EQ(name(file, 0x1000), "one");
  EXPECT_EQ(name(file, 0x2000), "nothing");
}

TEST_F(PerfMapFileTest, AlwaysRewritten_GivenUp) {
  write("1000 10 one\n");
  PerfMapFile file(open_it());
  std::string last;
  for (int i = 0; i < 200; ++i) {
    write(std::to_string(1000 + i) + " 10 " + std::to_string(i) + "\n");
    file.read_on();
    if (name(file, 0x1000 + static_cast<uint64_t>(i)) == "nothing") break;
    last = std::to_string(i);
  }
  EXPECT_GT(std::stoi(last), 8);
  EXPECT_LT(std::stoi(last), 199);
}

// A process that waits, and its map.
class PerfMapsTest : public testing::Test {
 protected:
  void TearDown() override {
    end();
    std::error_code ignored;
    for (const std::string& path : made_) fs::remove_all(path, ignored);
  }

  // `before`: what the process does to itself first.
  void start(
      const std::function<void()>& before = [] {}, unsigned long clone_flags = 0) {
    int ready[2];
    ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
    pid_ = static_cast<pid_t>(syscall(SYS_clone, clone_flags | SIGCHLD, 0, 0, 0, 0));
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      before();
      if (::write(ready[1], "r", 1) != 1) _exit(1);
      for (;;) pause();
    }
    char answer = 0;
    ::close(ready[1]);
    EXPECT_EQ(::read(ready[0], &answer, 1), 1);
    ::close(ready[0]);
  }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  std::string path() { return made("/tmp/perf-" + std::to_string(pid_) + ".map"); }
  std::string made(const std::string& path) {
    made_.push_back(path);
    return path;
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::app) << text;
  }
  std::string name_now(uint64_t address = 0x1000) {
    maps_.update(pid_);
    return maps_.name_at(pid_, address).value_or("nothing");
  }

  PerfMaps maps_;
  pid_t pid_ = -1;
  std::vector<std::string> made_;
};

TEST_F(PerfMapsTest, NoFile_Nothing) {
  start();
  EXPECT_EQ(name_now(), "nothing");
  EXPECT_FALSE(maps_.is_cut(pid_));
  EXPECT_EQ(maps_.name_at(1 << 29, 0x1000), std::nullopt);
}

TEST_F(PerfMapsTest, AppearsLate_Found) {
  start();
  EXPECT_EQ(name_now(), "nothing");
  write(path(), "1000 10 one\n");
  EXPECT_EQ(name_now(), "one");
  write(path(), "1000 10 other\n");
  EXPECT_EQ(maps_.name_at(pid_, 0x1000), "one");  // until it is looked at again
  EXPECT_EQ(name_now(), "other");
}

TEST_F(PerfMapsTest, FileReplaced_Read) {
  start();
  write(path(), "1000 10 one\n");
  EXPECT_EQ(name_now(), "one");
  const std::string other = made(path() + ".new");
  write(other, "1000 10 replaced\n");
  fs::rename(other, path());
  EXPECT_EQ(name_now(), "replaced");
}

TEST_F(PerfMapsTest, FileAndProcessGone_NamesKept) {
  start();
  write(path(), "1000 10 one\n");
  EXPECT_EQ(name_now(), "one");
  fs::remove(path());
  EXPECT_EQ(name_now(), "one");
  const pid_t pid = pid_;
  end();
  maps_.update(pid);
  EXPECT_EQ(maps_.name_at(pid, 0x1000), "one");
}

TEST_F(PerfMapsTest, NotRegularFile_Ignored) {
  start();
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(name_now(), "nothing");  // and nothing waits for a writer
  fs::remove(path());
  fs::create_directory(path());
  EXPECT_EQ(name_now(), "nothing");
  fs::remove(path());
  const std::string elsewhere = made(path() + ".elsewhere");
  write(elsewhere, "1000 10 linked\n");
  fs::create_symlink(elsewhere, path());
  EXPECT_EQ(name_now(), "nothing");
  fs::remove(path());
  fs::create_symlink("/dev/zero", path());
  EXPECT_EQ(name_now(), "nothing");
}

TEST_F(PerfMapsTest, OlderThanProcess_Ignored) {
  start();
  write(path(), "1000 10 old\n");
  const timespec times[2] = {{time(nullptr) - 3600, 0}, {time(nullptr) - 3600, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path().c_str(), times, 0), 0);
  EXPECT_EQ(name_now(), "nothing");
  write(path(), "2000 10 new\n");
  EXPECT_EQ(name_now(0x2000), "new");
}

TEST_F(PerfMapsTest, OtherUsersFile_Ignored) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  constexpr uid_t kSomebody = 12345;
  start();
  write(path(), "1000 10 planted\n");
  ASSERT_EQ(chown(path().c_str(), kSomebody, kSomebody), 0);
  EXPECT_EQ(name_now(), "nothing");
  end();
  start([] {
    if (setuid(kSomebody) != 0) _exit(1);
  });
  write(path(), "1000 10 by root\n");
  EXPECT_EQ(name_now(), "by root");
  const std::string own = made(path() + ".own");
  write(own, "1000 10 its own\n");
  ASSERT_EQ(chown(own.c_str(), kSomebody, kSomebody), 0);
  fs::rename(own, path());
  EXPECT_EQ(name_now(), "its own");
}

TEST_F(PerfMapsTest, OtherRootAndNamespace_Found) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can change a process's root";
  std::string pattern = "/tmp/perf_map_root.XXXXXX";
  const std::string root = made(mkdtemp(pattern.data()));
  fs::create_directory(root + "/tmp");
  start([&root] {
    if (chroot(root.c_str()) != 0) _exit(1);
  });
  write(path(), "1000 10 of another root\n");
  EXPECT_EQ(name_now(), "nothing");
  write(root + "/tmp/perf-" + std::to_string(pid_) + ".map", "1000 10 in its root\n");
  EXPECT_EQ(name_now(), "in its root");

  end();
  start(
      [&root] {
        if (chroot(root.c_str()) != 0) _exit(1);
      },
      CLONE_NEWPID);
  write(root + "/tmp/perf-" + std::to_string(pid_) + ".map", "1000 10 by another's pid\n");
  EXPECT_EQ(name_now(), "nothing");
  write(root + "/tmp/perf-1.map", "1000 10 by its own pid\n");
  EXPECT_EQ(name_now(), "by its own pid");
}

TEST(JitFrame, V8_FunctionFileLine) {
  const auto text = [](std::string_view name) {
    const Frame frame = jit_frame(name, false);
    return frame.language + "|" + frame.function + "|" + frame.file + "|" +
           std::to_string(frame.line);
  };
  EXPECT_EQ(text("JS:~compute /srv/app/busy.js:1:17"), "javascript|compute|/srv/app/busy.js|1");
  EXPECT_EQ(text("LazyCompile:*compute /srv/busy.js:12"), "javascript|compute|/srv/busy.js|12");
  EXPECT_EQ(text("JS:^ /srv/app/busy.js:3:30"), "javascript|<anonymous>|/srv/app/busy.js|3");
  EXPECT_EQ(text("JS:+listOnTimeout node:internal/timers:524:25"),
            "javascript|listOnTimeout|node:internal/timers|524");
  EXPECT_EQ(text("JS:o*f file:///srv/a b.mjs:7:1"), "javascript|f|/srv/a b.mjs|7");
  EXPECT_EQ(text("JS:~get size /srv/a b/c.js:7:1"), "javascript|get size|/srv/a b/c.js|7");
  EXPECT_EQ(text("Eval:~ /tmp/busy.js:1:1"), "javascript|<anonymous>|/tmp/busy.js|1");
  EXPECT_EQ(text("LazyCompile:~Module._load internal/modules/cjs/loader.js:700:24"),
            "javascript|Module._load|internal/modules/cjs/loader.js|700");
  EXPECT_EQ(text("JS:*noplace"), "javascript|noplace||0");
  EXPECT_EQ(text("JS:*noplace:3:4"), "javascript|noplace||0");
  EXPECT_EQ(text("JS:"), "javascript|<anonymous>||0");
  EXPECT_EQ(text("JS:~f x:99999999999:1"), "javascript|f|x:99999999999|1");  // no line: too large
}

TEST(JitFrame, OtherNames_Unchanged) {
  const Frame builtin = jit_frame("Builtin:JSEntry", false);
  EXPECT_EQ(builtin.function, "Builtin:JSEntry");
  EXPECT_EQ(builtin.language, "native");
  EXPECT_EQ(jit_frame("double Busy.work(int)", false).function, "double Busy.work(int)");
  EXPECT_EQ(jit_frame("double Busy.work(int)", false).language, "native");
}

TEST(JitFrame, Java_ReturnTypeRemoved) {
  const Frame method = jit_frame("java.lang.Object a.B$C.get(java.lang.String, int)", true);
  EXPECT_EQ(method.function, "a.B$C.get(java.lang.String, int)");
  EXPECT_EQ(method.language, "java");
  for (const char* stub : {"Interpreter", "StubRoutines (1)", "I2C/C2I adapters", "", "a.b", "(.)"})
    EXPECT_EQ(jit_frame(stub, true).language, "native") << stub;
}

}  // namespace
}  // namespace tailback
