#include "runtime/symbolize/symbolizer.h"

#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/symbolize/demangle.h"
#include "runtime/symbolize/symbol_table.h"
#include "runtime/unwind/unwinder.h"
#include "tests/unit/targets/damaged_copies.h"
#include "tests/unit/targets/running_target.h"

namespace tailback {
namespace {

TEST(Demangle, OtherNames_Unchanged) {
  for (const char* name : {"", "read", "_Z", "_R", "_ZN", "__libc_start_main", "_ZNSt6vectorI",
                           "main.cold", "_Read", "\x01\xff"})
    EXPECT_EQ(demangle(name), name);
  const std::string endless = "_Z" + std::string(1'000'000, 'S');
  EXPECT_EQ(demangle(endless), endless);
}

TEST(Demangle, CxxAndRust_Demangled) {
  EXPECT_EQ(demangle("_ZN3net6Server4loopEi"), "net::Server::loop(int)");
  EXPECT_EQ(demangle("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
  EXPECT_EQ(demangle("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
}

TEST(SymbolTable, NoSymbol_Nothing) {
  SymbolTable table;
  table.finish();
  EXPECT_FALSE(table.find(0));
  EXPECT_FALSE(table.find(UINT64_MAX));
  SymbolTable one;
  one.add(0x100, 0x10, "f", 0);
  one.finish();
  EXPECT_FALSE(one.find(0xff));
  EXPECT_FALSE(one.find(0x110));
  EXPECT_FALSE(one.find(0));
  EXPECT_FALSE(one.find(UINT64_MAX));
}

TEST(SymbolTable, CoveredAddress_Found) {
  SymbolTable table;
  table.add(0x200, 0x100, "outer", 0);
  table.add(0x280, 0x8, "label_within", 0);
  table.add_open(0x300, 0x1000, "of_unknown_size", 0);
  table.add(0x400, 0x10, "alias", 5);
  table.add(0x400, 0x10, "preferred", 1);
  table.add_open(0x500, 0x600, "last", 0);
  table.finish();
  const auto name = [&](uint64_t address) {
    const auto found = table.find(address);
    return found ? std::string(found->name) + "+" + std::to_string(found->offset) : "";
  };
  EXPECT_EQ(name(0x200), "outer+0");
  EXPECT_EQ(name(0x284), "label_within+4");
  EXPECT_EQ(name(0x288), "outer+136");
  EXPECT_EQ(name(0x2ff), "outer+255");
  EXPECT_EQ(name(0x3ff), "of_unknown_size+255");
  EXPECT_EQ(name(0x40f), "preferred+15");
  EXPECT_EQ(name(0x410), "");
  EXPECT_EQ(name(0x5ff), "last+255");
  EXPECT_EQ(name(0x600), "");
  EXPECT_EQ(table.size(), 5u);
}

struct Stacks {
  RunningTarget target;
  Symbolizer symbolizer;
  std::unique_ptr<Unwinder> unwinder = make_unwinder();

  explicit Stacks(const std::string& program) : target(program) {}
  std::vector<Frame> of(const std::string& thread) {
    const Snapshot snapshot = target.snapshot_of(thread);
    return symbolizer.symbolize(target.pid(), *target.modules(), unwinder->unwind(snapshot));
  }
};

// The part of a name that both an out-of-line and an inlined function have.
bool has(const std::vector<Frame>& frames, const std::string& part) {
  for (const Frame& frame : frames)
    if (frame.function.find(part) != std::string::npos) return true;
  return false;
}

std::string text_of(const std::vector<Frame>& frames) {
  std::string text;
  for (const Frame& frame : frames)
    text += frame.function + " " + frame.file + ":" + std::to_string(frame.line) + " " +
            frame.module + "+" + std::to_string(frame.offset) +
            (frame.inlined ? " inlined\n" : "\n");
  return text;
}

class WithLines : public ::testing::TestWithParam<const char*> {};

TEST_P(WithLines, Callers_AllNamed) {
  Stacks stacks(target_path(GetParam()));
  ASSERT_TRUE(stacks.target.ready());
  for (const auto& [name, thread] : stacks.target.threads()) {
    SCOPED_TRACE(name);
    const std::vector<Frame> frames = stacks.of(name);
    ASSERT_GE(frames.size(), 3u);
    EXPECT_EQ(frames[0].function, "(anonymous namespace)::stand_still(char const*, int)");
    EXPECT_TRUE(frames[0].file.ends_with("tests/unit/targets/unwind_target.cc"));
    EXPECT_FALSE(frames[0].inlined);
    EXPECT_EQ(frames[1].line, thread.line) << text_of(frames);
    EXPECT_TRUE(frames[1].file.ends_with("tests/unit/targets/unwind_target.cc"));
    for (const Frame& frame : frames) EXPECT_EQ(frame.language, "native");
  }
}

TEST_P(WithLines, StackFrames_Named) {
  Stacks stacks(target_path(GetParam()));
  ASSERT_TRUE(stacks.target.ready());
  const auto expect = [&](const char* thread, std::initializer_list<const char*> names) {
    const std::vector<Frame> frames = stacks.of(thread);
    for (const char* name : names)
      EXPECT_TRUE(has(frames, name)) << thread << " has no " << name << "\n" << text_of(frames);
  };
  expect("templates", {"Tower<0>::climb(int)", "Tower<24>::climb(int)"});
  expect("alloca", {"varying(int)"});
  expect("sort", {"through_sort()", "std::sort<"});
  expect("qsort", {"compare_once(void const*, void const*)", "qsort", "through_qsort()"});
  expect("once", {"through_once()", "std::call_once<"});
  expect("signal", {"on_signal(int)", "through_signal()"});
  expect("virtual", {"Square::area()", "through_catch()"});
  expect("recursion", {"recurse(int)", "main", "_start"});
  expect("jit", {"called_from_jit", "through_jit()"});
}

TEST_P(WithLines, InlinedFunctions_Expanded) {
  Stacks stacks(target_path(GetParam()));
  ASSERT_TRUE(stacks.target.ready());
  const std::vector<Frame> frames = stacks.of("inlined");
  ASSERT_GE(frames.size(), 4u);
  EXPECT_EQ(frames[1].function, "(anonymous namespace)::innermost_inlined");
  EXPECT_EQ(frames[2].function, "(anonymous namespace)::middle_inlined");
  EXPECT_EQ(frames[3].function, "(anonymous namespace)::around_inlined()");
  EXPECT_TRUE(frames[1].inlined);
  EXPECT_TRUE(frames[2].inlined);
  EXPECT_FALSE(frames[3].inlined);
  EXPECT_EQ(frames[1].offset, frames[3].offset);
  // Called one below the other in the source.
  EXPECT_EQ(frames[1].line, stacks.target.threads().at("inlined").line);
  EXPECT_EQ(frames[2].line, frames[1].line + 4);
  EXPECT_EQ(frames[3].line, frames[2].line + 3);
}

INSTANTIATE_TEST_SUITE_P(Symbolizer, WithLines,
                         ::testing::Values("plain", "optimised", "plain_no_aranges",
                                           "optimised_no_aranges", "linked"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(Symbolizer, Stripped_OffsetKept) {
  Stacks whole(target_path("optimised"));
  Stacks stripped(target_path("optimised_stripped"));
  ASSERT_TRUE(whole.target.ready());
  ASSERT_TRUE(stripped.target.ready());
  const std::vector<Frame> with = whole.of("templates");
  const std::vector<Frame> without = stripped.of("templates");
  ASSERT_GT(with.size(), 25u);
  ASSERT_GT(without.size(), 25u);
  EXPECT_EQ(without[1].function, "");
  EXPECT_EQ(without[1].file, "");
  EXPECT_EQ(without[1].line, 0);
  for (size_t i = 0; i < 25; ++i) {
    ASSERT_FALSE(with[i].inlined);
    EXPECT_EQ(with[i].offset, without[i].offset);
    EXPECT_TRUE(without[i].module.ends_with("/unwind_target_optimised_stripped"));
  }
}

TEST(Symbolizer, GeneratedCodeWithoutMap_AddressKept) {
  Stacks stacks(target_path("plain"));
  ASSERT_TRUE(stacks.target.ready());
  const std::vector<Frame> frames = stacks.of("jit");
  const auto jit = std::find_if(frames.begin(), frames.end(),
                                [](const Frame& frame) { return frame.module.empty(); });
  ASSERT_NE(jit, frames.end()) << text_of(frames);
  EXPECT_EQ(jit->function, "");
  const Mapping* mapping = stacks.target.modules()->find(RemoteAddress(jit->offset));
  ASSERT_NE(mapping, nullptr);
  EXPECT_TRUE(mapping->executable);
  EXPECT_EQ(jit->offset - mapping->begin.value, 6u);  // behind the call
}

TEST(Symbolizer, GeneratedCode_NamedByPerfMap) {
  Stacks stacks(target_path("plain"));
  ASSERT_TRUE(stacks.target.ready());
  const std::vector<Frame> before = stacks.of("jit");
  const auto jit = std::find_if(before.begin(), before.end(),
                                [](const Frame& frame) { return frame.module.empty(); });
  ASSERT_NE(jit, before.end()) << text_of(before);
  const std::string path = "/tmp/perf-" + std::to_string(stacks.target.pid()) + ".map";
  // All of the address space first: modules have names of their own.
  std::ofstream map(path);
  for (const Mapping& mapping : stacks.target.modules()->mappings())
    map << std::hex << mapping.begin.value << " " << mapping.end - mapping.begin << " wrong\n";
  map << std::hex << "0x" << jit->offset - 6 << " 0x10 JS:~through /srv/jit.js:12:3\n"
      << std::flush;
  std::vector<Frame> after = stacks.of("jit");
  std::filesystem::remove(path);
  ASSERT_EQ(after.size(), before.size());
  Frame& named = after[static_cast<size_t>(jit - before.begin())];
  EXPECT_EQ(named.function, "through");
  EXPECT_EQ(named.file, "/srv/jit.js");
  EXPECT_EQ(named.line, 12);
  EXPECT_EQ(named.module, "");
  EXPECT_EQ(named.offset, jit->offset);
  EXPECT_EQ(named.language, "javascript");
  named = *jit;
  EXPECT_EQ(after, before);
  EXPECT_FALSE(stacks.symbolizer.has_cut_perf_map(stacks.target.pid()));
}

TEST(Symbolizer, UnmappedAddress_NoName) {
  Stacks stacks(target_path("plain"));
  ASSERT_TRUE(stacks.target.ready());
  for (const uint64_t address : {uint64_t{0}, uint64_t{1}, uint64_t{4096}, UINT64_MAX}) {
    RawFrame raw;
    raw.address = RemoteAddress(address);
    const auto frames =
        stacks.symbolizer.symbolize(stacks.target.pid(), *stacks.target.modules(), raw);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].function, "");
    EXPECT_EQ(frames[0].offset, address);
    EXPECT_FALSE(
        stacks.symbolizer.variable_at(stacks.target.pid(), *stacks.target.modules(), raw.address));
  }
}

TEST(Symbolizer, Variable_Named) {
  Stacks stacks(target_path("plain"));
  ASSERT_TRUE(stacks.target.ready());
  const auto name = [&](RemoteAddress address) {
    return stacks.symbolizer.variable_at(stacks.target.pid(), *stacks.target.modules(), address);
  };
  EXPECT_EQ(name(stacks.target.variable() - 8), "standing_mutex_data");
  EXPECT_EQ(name(stacks.target.variable()), "standing_mutex_data+8");
  // Code is no variable, and a stack is in no module.
  const auto& thread = stacks.target.threads().at("alloca");
  EXPECT_FALSE(name(thread.frames[0]));
  EXPECT_FALSE(name(RemoteAddress(thread.registers.context.stack_pointer)));
}

TEST(Symbolizer, PltEntry_Named) {
  Stacks stacks(target_path("plain"));
  ASSERT_TRUE(stacks.target.ready());
  // Somewhere before main's code lie the entries; each has a name with "@plt".
  const Mapping* code =
      stacks.target.modules()->find(stacks.target.threads().at("recursion").frames[0]);
  ASSERT_NE(code, nullptr);
  bool found = false;
  for (RemoteAddress at = code->begin; at < code->begin + 4096 && !found; at = at + 8) {
    RawFrame raw;
    raw.address = at;
    raw.after_call = false;
    const auto frames =
        stacks.symbolizer.symbolize(stacks.target.pid(), *stacks.target.modules(), raw);
    found = frames.back().function == "backtrace@plt";
  }
  EXPECT_TRUE(found);
}

TEST(Symbolizer, FileRemoved_NamesKept) {
  const std::string copy =
      ::testing::TempDir() + "symbolize_test_removed" + std::to_string(::getpid());
  ASSERT_EQ(std::system(("cp '" + target_path("plain") + "' '" + copy + "'").c_str()), 0);
  Stacks stacks(copy);
  ASSERT_TRUE(stacks.target.ready());
  ASSERT_EQ(::unlink(copy.c_str()), 0);
  // Another file takes its place.
  ASSERT_EQ(std::system(("cp '" + target_path("optimised") + "' '" + copy + "'").c_str()), 0);
  const auto map = ModuleMap::read(stacks.target.pid());
  ASSERT_TRUE(map);
  const Snapshot snapshot = stacks.target.snapshot_of("recursion");
  const RawStack stack = stacks.unwinder->unwind(snapshot);
  EXPECT_TRUE(stack.complete);
  const auto frames = stacks.symbolizer.symbolize(stacks.target.pid(), *map, stack);
  EXPECT_TRUE(has(frames, "recurse(int)")) << text_of(frames);
  EXPECT_EQ(frames[1].line, stacks.target.threads().at("recursion").line);
  EXPECT_EQ(frames[1].module, copy);
  ::unlink(copy.c_str());
}

TEST(Symbolizer, DamagedFiles_NoCrash) {
  for (const char* kind : {"optimised", "plain_no_aranges"}) {
    const RunningTarget target(target_path(kind));
    ASSERT_TRUE(target.ready());
    const StandingThread& thread = target.threads().at("templates");
    DamagedCopies copies(*target.modules(), thread.frames[0], 78);
    ASSERT_TRUE(copies.ready());
    RawStack stack;
    for (const RemoteAddress address : thread.frames) {
      if (target.modules()->find(address)->path != target_path(kind)) continue;
      RawFrame raw;
      raw.address = address;
      stack.frames.push_back(raw);
    }
    ASSERT_GT(stack.frames.size(), 3u);
    for (int round = 0; round < 200; ++round) {
      const auto modules = copies.next();
      Symbolizer symbolizer;
      const auto frames = symbolizer.symbolize(target.pid(), *modules, stack);
      EXPECT_GE(frames.size(), stack.frames.size());
      symbolizer.variable_at(target.pid(), *modules, target.variable());
    }
  }
}

}  // namespace
}  // namespace tailback
