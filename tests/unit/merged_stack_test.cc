// Python's frames among the native ones.
#include "runtime/interpreters/merged_stack.h"

#include <gtest/gtest.h>

namespace tailback {
namespace {

constexpr char kPython[] = "/usr/bin/python3.11";
constexpr char kEval[] = "_PyEval_EvalFrameDefault";

Frame native(std::string function, std::string module = kPython, uint64_t offset = 0) {
  Frame frame;
  frame.function = std::move(function);
  frame.module = std::move(module);
  frame.offset = offset;
  return frame;
}

InterpretedFrame frame(std::string function, std::string file, int line, bool ends_call) {
  InterpretedFrame frame;
  frame.function = std::move(function);
  frame.file = std::move(file);
  frame.line = line;
  frame.ends_call = ends_call;
  return frame;
}

InterpreterStack python(std::vector<InterpretedFrame> frames, bool complete = true) {
  InterpreterStack stack;
  stack.language = &python::language();
  stack.runner = std::make_shared<const FrameRunner>(
      FrameRunner{kPython, kEval, {{0x1000, 0x1100}, {0x5000, 0x9000}}});
  stack.frames = std::move(frames);
  stack.complete = complete;
  return stack;
}

std::string words(const std::vector<Frame>& stack) {
  std::string text;
  for (const Frame& frame : stack) {
    if (!text.empty()) text += ' ';
    if (frame.language == "python") text += ':';
    text += frame.function;
  }
  return text;
}

struct Merged {
  std::string stack;
  std::string note;
  bool complete;
};

Merged merge(const InterpreterStack& python, std::vector<Frame> stack, bool complete = true,
             bool held = false) {
  const std::string note = merge_frames(python, RawStack(), held, stack, complete);
  return {words(stack), note, complete};
}

TEST(MergedStack, EachEvalCall_ReplacedByFrame) {
  const Merged merged =
      merge(python({frame("leaf", "a.py", 3, false), frame("key", "a.py", 2, true),
                    frame("main", "a.py", 9, true)}),
            {native("nanosleep", "/lib/libc.so.6"), native("time_sleep"), native(kEval),
             native("sort", "/lib/c_extension.so"), native(kEval), native("Py_RunMain")});
  EXPECT_EQ(merged.stack, "nanosleep time_sleep :leaf :key sort :main Py_RunMain");
  EXPECT_EQ(merged.note, "");
  EXPECT_TRUE(merged.complete);
}

TEST(MergedStack, Frame_PlaceAndLanguage) {
  std::vector<Frame> stack = {native(kEval)};
  bool complete = true;
  merge_frames(python({frame("f", "/srv/app.py", 7, true)}), RawStack(), false, stack, complete);
  Frame expected;
  expected.function = "f";
  expected.file = "/srv/app.py";
  expected.line = 7;
  expected.language = "python";
  EXPECT_EQ(stack, std::vector{expected});
}

TEST(MergedStack, InlinedIntoEval_Replaced) {
  Frame inlined = native("do_call_core");
  inlined.inlined = true;
  const Merged merged = merge(python({frame("f", "a.py", 1, true)}),
                              {native("sleep"), inlined, native(kEval), native("main")});
  EXPECT_EQ(merged.stack, "sleep :f main");
}

TEST(MergedStack, NamelessEvalPart_KnownByPlace) {
  const Merged merged = merge(
      python({frame("f", "a.py", 1, true), frame("g", "a.py", 2, true)}),
      {native("sleep"), native("", kPython, 0x6000), native("x"), native("", kPython, 0x1080)});
  EXPECT_EQ(merged.stack, "sleep :f x :g");
}

TEST(MergedStack, OtherLargeFunction_Kept) {
  const Merged merged =
      merge(python({frame("f", "a.py", 1, true)}),
            {native("sleep"), native("parser", kPython, 0x6000), native(kEval, kPython, 0x1010)});
  EXPECT_EQ(merged.stack, "sleep parser :f");
}

TEST(MergedStack, CallsBeyondFrames_Kept) {
  // A greenlet's frames end where it began; its stack goes on.
  const Merged merged = merge(python({frame("f", "a.py", 1, true)}),
                              {native("sleep"), native(kEval), native("g"), native(kEval)});
  EXPECT_EQ(merged.stack, std::string("sleep :f g ") + kEval);
  EXPECT_EQ(merged.note, "");
}

TEST(MergedStack, RunningThread_CallWithoutFrame) {
  const Merged merged = merge(python({frame("f", "a.py", 1, true)}),
                              {native(kEval), native("x"), native(kEval)}, true, true);
  EXPECT_EQ(merged.stack, std::string(kEval) + " x :f");
}

TEST(MergedStack, StackCut_RemainingFramesAppended) {
  const Merged merged = merge(python({frame("f", "a.py", 1, true), frame("g", "a.py", 2, true)}),
                              {native("sleep"), native(kEval), native("x")}, false);
  EXPECT_EQ(merged.stack, "sleep :f x :g");
  EXPECT_EQ(merged.note, "");
  EXPECT_FALSE(merged.complete);
}

TEST(MergedStack, FramesWithoutCall_ShownAndMarked) {
  const Merged merged = merge(python({frame("f", "a.py", 1, true), frame("g", "a.py", 2, true)}),
                              {native("sleep", "libc.so.6"), native("unknown"), native("main")});
  EXPECT_EQ(merged.stack, "sleep :f :g unknown main");
  EXPECT_EQ(merged.note, "where some Python frames stand among the native ones is a guess");
}

TEST(MergedStack, FramesDropped_NativeStackKept) {
  InterpreterStack dropped = python({});
  dropped.failure = "its frames form a ring";
  const Merged merged = merge(dropped, {native("sleep"), native(kEval)});
  EXPECT_EQ(merged.stack, std::string("sleep ") + kEval);
  EXPECT_EQ(merged.note,
            "the Python frames of a sample were dropped, for a check failed: its frames form a "
            "ring");
}

TEST(MergedStack, UnreadableInterpreter_Named) {
  InterpreterStack stack;
  stack.language = &python::language();
  stack.unreadable = "a debug build of Python 3.11";
  const Merged merged = merge(stack, {native("sleep"), native(kEval)});
  EXPECT_EQ(merged.stack, std::string("sleep ") + kEval);
  EXPECT_TRUE(merged.note.starts_with("a debug build of Python 3.11: ")) << merged.note;
}

TEST(MergedStack, VersionThatIsNotRead_SaysWhichAre) {
  InterpreterStack stack;
  stack.language = &python::language();
  stack.unreadable = "Python 3.15";
  const Merged merged = merge(stack, {native("sleep"), native(kEval)});
  EXPECT_EQ(merged.stack, std::string("sleep ") + kEval);
  EXPECT_EQ(merged.note,
            "Python 3.15: its Python frames can't be read (those of Python 3.8 to 3.14 with the "
            "GIL and without debug checks can), so they are the interpreter's own");
}

TEST(MergedStack, DeepRecursion_Cut) {
  std::vector<InterpretedFrame> frames(900, frame("f", "a.py", 1, false));
  frames.back().ends_call = true;
  std::vector<Frame> stack = {native("sleep"), native(kEval), native("main")};
  bool complete = true;
  EXPECT_EQ(merge_frames(python(frames), RawStack(), false, stack, complete), "");
  EXPECT_EQ(stack.size(), kMostMergedFrames);
  EXPECT_FALSE(complete);
}

}  // namespace
}  // namespace tailback
