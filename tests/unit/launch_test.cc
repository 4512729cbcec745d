// What is known of a command before it is started, and the environment that it gets.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/launch/environment.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/preflight.h"
#include "runtime/launch/recorder_file.h"
#include "runtime/launch/script.h"

namespace tailback {
namespace {

namespace fs = std::filesystem;
using ::testing::Test;

#if defined(__x86_64__)
constexpr Elf64_Half kOwnMachine = EM_X86_64;
#else
constexpr Elf64_Half kOwnMachine = EM_AARCH64;
#endif

class PreflightTest : public Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "preflight.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    path_before_ = std::getenv("PATH");
    ASSERT_EQ(setenv("PATH", (directory_ + ":/usr/bin:/bin").c_str(), 1), 0);
  }
  void TearDown() override {
    setenv("PATH", path_before_.c_str(), 1);
    fs::remove_all(directory_);
  }

  std::string write(const std::string& name, const std::string& content, mode_t mode = 0755) {
    const std::string path = directory_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  // An ELF file for this machine with no more than headers; `loader` empty: none asked for.
  static std::string elf(const std::string& loader, Elf64_Half machine = kOwnMachine) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_machine = machine;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    Elf64_Phdr segment{};
    segment.p_type = loader.empty() ? PT_LOAD : PT_INTERP;
    segment.p_offset = sizeof(header) + sizeof(segment);
    segment.p_filesz = loader.size() + 1;
    return std::string(reinterpret_cast<char*>(&header), sizeof(header)) +
           std::string(reinterpret_cast<char*>(&segment), sizeof(segment)) + loader + '\0';
  }

  // As elf(), with what Go's compiler puts into its programs: the note of a build id, or the
  // section that says what it was built of.
  static std::string with_go_note(const std::string& loader) {
    std::string bytes = elf(loader);
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    Elf64_Phdr segments[2];
    std::memcpy(&segments[0], bytes.data() + header.e_phoff, sizeof segments[0]);
    header.e_phoff = bytes.size();
    header.e_phnum = 2;
    std::string notes;
    for (const auto& [name, type] : {std::pair{"GNU", 3}, std::pair{"Go\0", 4}}) {
      const Elf64_Nhdr note{4, 6, static_cast<Elf64_Word>(type)};
      notes.append(reinterpret_cast<const char*>(&note), sizeof note);
      notes.append(name, 4).append("abcdef\0\0", 8);
    }
    segments[1] = {};
    segments[1].p_type = PT_NOTE;
    segments[1].p_align = 4;
    segments[1].p_offset = bytes.size() + sizeof segments;
    segments[1].p_filesz = notes.size();
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes + std::string(reinterpret_cast<char*>(segments), sizeof segments) + notes;
  }
  static std::string with_section(const std::string& loader, const std::string& name) {
    std::string bytes = elf(loader);
    const std::string names = std::string(1, '\0') + name + '\0';
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    Elf64_Shdr sections[2] = {};
    sections[0].sh_name = 1;
    sections[1].sh_type = SHT_STRTAB;
    sections[1].sh_offset = bytes.size() + sizeof sections;
    sections[1].sh_size = names.size();
    header.e_shoff = bytes.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 2;
    header.e_shstrndx = 1;
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes + std::string(reinterpret_cast<char*>(sections), sizeof sections) + names;
  }

  // The status and the line of the refusal; 0 and the image if there is none.
  static std::pair<int, std::string> check(const std::string& name) {
    try {
      return {0, check_program(name).image};
    } catch (const LaunchError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      return {error.exit_status(), error.what()};
    }
  }

  static void expect_refused(const std::string& name, int status,
                             const std::vector<std::string>& words) {
    const auto [actual, line] = check(name);
    EXPECT_EQ(actual, status) << line;
    for (const std::string& word : words) {
      EXPECT_NE(line.find(word), std::string::npos) << "no \"" << word << "\" in: " << line;
    }
  }

  static std::string sh() { return check_program("/bin/sh").image; }

  std::string directory_;
  std::string path_before_;
};

TEST_F(PreflightTest, NameOrPath_Accepted) {
  EXPECT_EQ(check_program("true").path, "/usr/bin/true");
  EXPECT_EQ(check_program("/usr/bin/true").path, "/usr/bin/true");
  EXPECT_EQ(check_program("/usr/bin/true").image, "/usr/bin/true");
}

TEST_F(PreflightTest, NotExecutableOnPath_Skipped) {
  fs::create_directory(directory_ + "/true");
  write("false", "", 0644);
  EXPECT_EQ(check_program("true").path, "/usr/bin/true");
  EXPECT_EQ(check_program("false").path, "/usr/bin/false");
}

TEST_F(PreflightTest, EmptyPathEntry_CurrentDirectory) {
  write("tool", "#!/bin/sh\n");
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  setenv("PATH", "/nowhere::/usr/bin", 1);
  const auto [status, image] = check("tool");
  fs::current_path(before);
  EXPECT_EQ(status, 0) << image;
}

TEST_F(PreflightTest, Missing_Refused) {
  expect_refused("no-such-program", 127, {"'no-such-program'", "PATH"});
  expect_refused(directory_ + "/missing", 127, {"/missing'", "no such file"});
  expect_refused("", 127, {"''"});
  const std::string file = write("file", "");
  expect_refused(file + "/below", 127, {"no such file"});
}

TEST_F(PreflightTest, NotExecutable_Refused) {
  expect_refused(directory_, 126, {"is a directory"});
  expect_refused(write("plain", "#!/bin/sh\n", 0644), 126, {"/plain'", "chmod +x"});
  expect_refused("plain", 126, {"'plain'", directory_ + "/plain"});
}

TEST_F(PreflightTest, HostileName_Escaped) {
  expect_refused("./\x1b[31mred\nline", 127, {"\\x1b[31mred\\nline"});
}

TEST_F(PreflightTest, Script_InterpreterChecked) {
  EXPECT_EQ(check(write("plain-sh", "#!/bin/sh\n")).second, sh());
  EXPECT_EQ(check(write("blanks", "#! \t/bin/sh -e \n")).second, sh());
  EXPECT_EQ(check(write("no-line-end", "#!/bin/sh")).second, sh());
  EXPECT_EQ(check(write("no-first-line", "exit 0\n")).second, sh());
  EXPECT_EQ(check(write("empty", "")).second, sh());
  const std::string inner = write("inner", "#!/bin/sh\n");
  EXPECT_EQ(check(write("outer", "#!" + inner + " -x\n")).second, sh());
}

TEST_F(PreflightTest, EnvCommand_Followed) {
  write("interpreter", "#!/bin/sh\n");
  EXPECT_EQ(check(write("a", "#!/usr/bin/env interpreter\n")).second, sh());
  EXPECT_EQ(check(write("b", "#!/usr/bin/env -S interpreter -u\n")).second, sh());
  EXPECT_EQ(check(write("c", "#!/usr/bin/env -S NAME=value -u X interpreter\n")).second, sh());
  expect_refused(write("d", "#!/usr/bin/env no-such-interpreter\n"), 127,
                 {"/d': its interpreter 'no-such-interpreter'"});
  // Without -S, env takes all of it for one name.
  expect_refused(write("e", "#!/usr/bin/env interpreter -u\n"), 127, {"'interpreter -u'"});
  expect_refused(write("f", "#!/usr/bin/env -iS interpreter\n"), 125, {"environment"});
  expect_refused(write("g", "#!/usr/bin/env -S -i interpreter\n"), 125, {"environment"});
}

TEST_F(PreflightTest, ScriptWithBadInterpreter_Refused) {
  expect_refused(write("a", "#!/no/such/sh\n"), 127, {"/a': its interpreter '/no/such/sh'"});
  expect_refused(write("b", "#!/bin/sh\r\n"), 127, {"'/bin/sh\\r'", "Windows"});
  expect_refused(write("c", "#!" + directory_ + "\n"), 126, {"/c'", "is a directory"});
  expect_refused(write("d", "#!" + write("static", elf("")) + "\n"), 125,
                 {"/d': its interpreter", "/static'", "statically linked"});
  expect_refused(write("e", "#!" + directory_ + "/e\n"), 126, {"circle"});
  expect_refused(write("f", "#!/usr/bin/env f\n"), 126, {"circle"});
}

TEST_F(PreflightTest, ForeignMachine_Refused) {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_386;
  const std::string bytes(reinterpret_cast<char*>(&header), sizeof(header));
  expect_refused(write("old", bytes), 126, {"/old'", "another architecture", "32-bit x86"});
  expect_refused(write("riscv", elf("/lib/ld.so", EM_RISCV)), 126, {"(riscv)"});
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2MSB;
  header.e_machine = __builtin_bswap16(EM_S390);
  expect_refused(write("big", std::string(reinterpret_cast<char*>(&header), sizeof(header))), 126,
                 {"(s390)"});
}

TEST_F(PreflightTest, StaticProgram_Refused) {
  expect_refused(write("static", elf("")), 125, {"/static'", "statically linked"});
  expect_refused(write("musl", elf("/lib/ld-musl-x86_64.so.1")), 125, {"musl"});
  expect_refused(write("strange", elf("/no/such/loader")), 127, {"'/no/such/loader'"});
}

TEST_F(PreflightTest, GoProgram_LimitSaid) {
  for (const std::string& file :
       {write("note", with_go_note("")), write("section", with_section("", ".go.buildinfo"))}) {
    expect_refused(file, 125, {"is a Go program", "statically linked", "go tool trace"});
  }
  const std::string loader = write("loader", "");
  for (const std::string& file : {write("note", with_go_note(loader)),
                                  write("section", with_section(loader, ".go.buildinfo"))}) {
    const Program program = check_program(file);
    EXPECT_EQ(program.image, file);
    EXPECT_NE(program.remark.find("'" + file + "': is a Go program"), std::string::npos)
        << program.remark;
    EXPECT_NE(program.remark.find("cgo"), std::string::npos) << program.remark;
    EXPECT_EQ(program.remark.find('\n'), std::string::npos);
  }
  EXPECT_EQ(check_program(write("other", with_section(loader, ".go.buildinfos"))).remark, "");
  EXPECT_EQ(check_program(write("plain", elf(loader))).remark, "");
  EXPECT_EQ(check_program("/usr/bin/true").remark, "");
}

TEST_F(PreflightTest, DamagedGoMarks_NoCrash) {
  const std::string loader = write("loader", "");
  for (const std::string& whole :
       {with_go_note(loader), with_section(loader, ".go.buildinfo"), with_go_note("")}) {
    for (size_t size = sizeof(Elf64_Ehdr); size < whole.size(); ++size)
      check(write("cut", whole.substr(0, size)));
    for (size_t at = sizeof(Elf64_Ehdr); at < whole.size(); ++at) {
      std::string wild = whole;
      wild[at] = '\xff';
      check(write("wild", wild));
    }
    // Counts and offsets of the tables.
    for (size_t at = offsetof(Elf64_Ehdr, e_phoff); at < sizeof(Elf64_Ehdr); ++at) {
      std::string wild = whole;
      wild[at] = '\x7f';
      check(write("wild", wild));
    }
  }
}

TEST_F(PreflightTest, TruncatedFiles_Refused) {
  const std::string whole = elf("/no/such/loader");
  for (size_t size = SELFMAG; size < whole.size(); ++size) {
    const int status = check(write("cut", whole.substr(0, size))).first;
    EXPECT_EQ(status, 126) << size;
  }
  std::string wild = whole;
  std::memset(wild.data() + offsetof(Elf64_Ehdr, e_phoff), 0xff, sizeof(Elf64_Off));
  EXPECT_EQ(check(write("wild", wild)).first, 126);
}

TEST_F(PreflightTest, Loader_Accepted) {
  for (const char* loader : {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"}) {
    if (!fs::exists(loader)) continue;
    EXPECT_EQ(check(loader), std::make_pair(0, std::string(loader)));
  }
}

TEST_F(PreflightTest, SetuidOfOther_RefusedOwnAccepted) {
  struct statvfs mount {};
  ASSERT_EQ(statvfs(directory_.c_str(), &mount), 0);
  if ((mount.f_flag & ST_NOSUID) != 0) GTEST_SKIP() << directory_ << " is mounted nosuid";
  const std::string program = directory_ + "/program";
  fs::copy_file("/usr/bin/true", program);
  ASSERT_EQ(chown(program.c_str(), getuid(), getgid()), 0);
  const Identity owner = {getuid(), getgid(), false};
  const Identity other_user = {getuid() + 1, getgid(), false};
  const Identity other_group = {getuid(), getgid() + 1, false};
  const auto refused_for = [&](Identity identity) {
    try {
      check_program(program, identity);
      return std::string();
    } catch (const LaunchError& error) {
      EXPECT_EQ(error.exit_status(), 125);
      return std::string(error.what());
    }
  };

  ASSERT_EQ(chmod(program.c_str(), 04755), 0);
  EXPECT_EQ(refused_for(owner), "");
  EXPECT_EQ(refused_for(other_group), "");
  EXPECT_NE(refused_for(other_user).find("is setuid"), std::string::npos);
  EXPECT_EQ(refused_for({getuid() + 1, getgid(), true}), "");

  ASSERT_EQ(chmod(program.c_str(), 02755), 0);
  EXPECT_EQ(refused_for(owner), "");
  EXPECT_EQ(refused_for(other_user), "");
  EXPECT_NE(refused_for(other_group).find("is setgid"), std::string::npos);
}

TEST_F(PreflightTest, Recorder_FoundBesideBinary) {
  const std::string own = directory_ + "/bin/tailback";
  EXPECT_THROW(find_recorder(own), LaunchError);
  const std::string recorder = write("lib/libtailback.so", elf(""));
  EXPECT_EQ(find_recorder(own), recorder);
}

TEST_F(PreflightTest, RecorderNotPreloadable_Refused) {
  const auto line = [](const std::string& own) {
    try {
      return find_recorder(own);
    } catch (const LaunchError& error) {
      EXPECT_EQ(error.exit_status(), 125);
      return std::string(error.what());
    }
  };
  EXPECT_NE(line(directory_ + "/bin/tailback").find("can't be opened"), std::string::npos);
  write("lib/libtailback.so", "INPUT(something)");
  EXPECT_NE(line(directory_ + "/bin/tailback").find("not a shared library"), std::string::npos);
  write("lib/libtailback.so", elf("", EM_RISCV));
  EXPECT_NE(line(directory_ + "/bin/tailback").find("(riscv)"), std::string::npos);
  write("a b/lib/libtailback.so", elf(""));
  EXPECT_NE(line(directory_ + "/a b/bin/tailback").find("space"), std::string::npos);
}

TEST(Shebang, FirstLine_AsKernelReads) {
  EXPECT_FALSE(parse_shebang(""));
  EXPECT_FALSE(parse_shebang("#"));
  EXPECT_FALSE(parse_shebang("#!"));
  EXPECT_FALSE(parse_shebang("#! \t\n/bin/sh"));
  EXPECT_FALSE(parse_shebang(" #!/bin/sh"));
  const auto shebang = parse_shebang("#!/usr/bin/env -S  a b \nrest");
  ASSERT_TRUE(shebang);
  EXPECT_EQ(shebang->interpreter, "/usr/bin/env");
  EXPECT_EQ(shebang->argument, "-S  a b");
  EXPECT_EQ(parse_shebang("#!" + std::string(1000, 'x'))->interpreter.size(), 254u);
}

TEST(Shebang, EnvOptions_LeftToEnv) {
  EXPECT_EQ(parse_env_argument("-S \"python3\" -u").program, "");
  EXPECT_EQ(parse_env_argument("-S ${HOME}/bin/x").program, "");
  EXPECT_EQ(parse_env_argument("").program, "");
}

std::vector<std::string> environment_of(std::vector<const char*> entries) {
  entries.push_back(nullptr);
  return target_environment(entries.data(), "/opt/lib/libtailback.so", "/proc/1/fd/3");
}

using Entries = std::vector<std::string>;

TEST(TargetEnvironment, OtherPreload_RecorderFirst) {
  const std::string session = "TAILBACK_SESSION=/proc/1/fd/3";
  const std::string alone = "LD_PRELOAD=/opt/lib/libtailback.so";
  EXPECT_EQ(environment_of({}), (Entries{alone, session}));
  EXPECT_EQ(environment_of({"A=1", "LD_PRELOAD=", "B=2"}), (Entries{"A=1", "B=2", alone, session}));
  EXPECT_EQ(environment_of({"LD_PRELOAD=/x.so y.so"}), (Entries{alone + ":/x.so y.so", session}));
}

TEST(TargetEnvironment, Variables_SetOnce) {
  const std::string session = "TAILBACK_SESSION=/proc/1/fd/3";
  const std::string alone = "LD_PRELOAD=/opt/lib/libtailback.so";
  EXPECT_EQ(environment_of({alone.c_str()}), (Entries{alone, session}));
  EXPECT_EQ(environment_of({(alone + ":/x.so").c_str()}), (Entries{alone + ":/x.so", session}));
  EXPECT_EQ(environment_of({(alone + ".2").c_str()}),
            (Entries{alone + ":/opt/lib/libtailback.so.2", session}));
  EXPECT_EQ(environment_of({"TAILBACK_SESSION=/old", "TAILBACK_SESSIONS=kept"}),
            (Entries{"TAILBACK_SESSIONS=kept", alone, session}));
}

}  // namespace
}  // namespace tailback
