// JavaScript frames among native ones.
#include "runtime/interpreters/merged_stack.h"

#include <gtest/gtest.h>

namespace tailback {
namespace {

RawFrame raw(uint64_t address, uint64_t stack_pointer) {
  return {RemoteAddress(address), true, RemoteAddress(stack_pointer)};
}

Frame native(const std::string& name, bool inlined = false) {
  Frame frame;
  frame.function = name;
  frame.inlined = inlined;
  return frame;
}

InterpretedFrame javascript(const std::string& name, uint64_t frame_pointer,
                            uint64_t return_address) {
  InterpretedFrame frame;
  frame.function = name;
  frame.file = "/srv/app.js";
  frame.line = 7;
  frame.frame_pointer = RemoteAddress(frame_pointer);
  frame.return_address = RemoteAddress(return_address);
  frame.linked = true;
  return frame;
}

class JavascriptStack : public testing::Test {
 protected:
  JavascriptStack() {
    javascript_.language = &v8::language();
    raw_.frames = {raw(0x1000, 0x100), raw(0x2000, 0x200), raw(0x3000, 0x300), raw(0x4000, 0x400)};
    raw_.complete = true;
    stack_ = {native("inlined", true), native("read"), native("Trampoline"), native("Entry"),
              native("main")};
  }

  std::string merged() {
    bool complete = raw_.complete;
    note_ = merge_frames(javascript_, raw_, false, stack_, complete);
    std::string text;
    for (const Frame& frame : stack_)
      text += (text.empty() ? "" : " ") + frame.function + (frame.line == 7 ? "!" : "");
    return text;
  }

  InterpreterStack javascript_;
  RawStack raw_;
  std::vector<Frame> stack_;
  std::string note_;
};

TEST_F(JavascriptStack, JavaScriptFrame_ReplacesNative) {
  javascript_.frames = {javascript("handler", 0x2f0, 0x3000)};
  EXPECT_EQ(merged(), "inlined read handler! Entry main");
  EXPECT_EQ(note_, "");
  EXPECT_EQ(stack_[2].language, "javascript");
  EXPECT_EQ(stack_[2].file, "/srv/app.js");
  EXPECT_EQ(stack_[2].module, "");
}

TEST_F(JavascriptStack, LeftoversOfEarlierCalls_Dropped) {
  javascript_.frames = {javascript("stale", 0x180, 0x3000), javascript("handler", 0x2f0, 0x3000),
                        javascript("other", 0x3f0, 0x4444)};
  EXPECT_EQ(merged(), "inlined read handler! Entry main");
}

TEST_F(JavascriptStack, FailedCheck_AllDropped) {
  javascript_.frames = {javascript("handler", 0x2f0, 0x3000), javascript("", 0x3f0, 0x4000)};
  javascript_.frames[1].failure = "what should be a script is none";
  EXPECT_EQ(merged(), "inlined read Trampoline Entry main");
  EXPECT_EQ(note_,
            "the JavaScript frames of a sample were dropped, for a check failed: what should be a "
            "script is none");
}

TEST_F(JavascriptStack, FailedLeftover_OthersKept) {
  javascript_.frames = {javascript("", 0x180, 0x3000), javascript("handler", 0x2f0, 0x3000)};
  javascript_.frames[0].failure = "what should be a script is none";
  EXPECT_EQ(merged(), "inlined read handler! Entry main");
  EXPECT_EQ(note_, "");
}

TEST_F(JavascriptStack, UnknownEngine_Said) {
  javascript_.unreadable = "V8 99.1";
  EXPECT_EQ(merged(), "inlined read Trampoline Entry main");
  EXPECT_TRUE(note_.starts_with("V8 99.1: its JavaScript frames can't be read")) << note_;
}

TEST_F(JavascriptStack, FramesAfterEarlyEnd_MarkedAsGuess) {
  raw_.frames.resize(1);
  stack_.resize(2);
  javascript_.frames = {javascript("stale", 0x180, 0x3000), javascript("handler", 0x2f0, 0x3000)};
  javascript_.frames[0].linked = false;
  EXPECT_EQ(merged(), "inlined read");
  EXPECT_EQ(note_, "");
  raw_.complete = false;
  EXPECT_EQ(merged(), "inlined read handler!");
  EXPECT_NE(note_.find("guess"), std::string::npos);
}

}  // namespace
}  // namespace tailback
