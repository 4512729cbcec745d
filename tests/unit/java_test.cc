// What is said of a Java program: whose method is to blame, and why methods have no names.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/explain/culprit.h"
#include "runtime/explain/missing_names.h"

namespace tailback {
namespace {

Frame native(std::string function, std::string module) {
  Frame frame;
  frame.function = std::move(function);
  frame.module = std::move(module);
  return frame;
}

Frame java(std::string function) {
  Frame frame = native(std::move(function), "");
  frame.language = "java";
  return frame;
}

const Frame kIdleWait = native("os::PlatformEvent::park(long)", "/opt/jdk/lib/server/libjvm.so");
const Frame kInterpreter = native("Interpreter", "");
const Frame kUnnamed = native("", "");
const Frame kSelect = java("sun.nio.ch.SelectorImpl.select(long)");
const Frame kOwn = java("com.example.Server.onRequest()");

ModuleMap modules(const std::string& path) {
  Mapping mapping;
  mapping.begin = RemoteAddress(0x1000);
  mapping.end = RemoteAddress(0x2000);
  mapping.path = path;
  return ModuleMap({mapping});
}

TEST(JavaCulprit, JavaStack_InnermostOwnMethod) {
  EXPECT_EQ(find_culprit({kIdleWait, kSelect, java("java.lang.Thread.run()"), kOwn, kOwn}), 3u);
  EXPECT_EQ(find_culprit({kIdleWait, kInterpreter, java("javafx.Own.run()")}), 2u);
  EXPECT_EQ(find_culprit({kIdleWait, kSelect, kInterpreter}), 1u) << "nobody's own";
  EXPECT_EQ(find_culprit({kIdleWait, kUnnamed}), 0u) << "no method is known";
}

TEST(JavaNames, NoPerfMap_Missing) {
  const ModuleMap jvm = modules("/opt/jdk/lib/server/libjvm.so");
  const std::string why = why_names_are_missing(4711, {kIdleWait, kUnnamed}, true, jvm, false);
  EXPECT_NE(why.find("jcmd 4711 Compiler.perfmap"), std::string::npos) << why;
  EXPECT_NE(why.find("-XX:+PreserveFramePointer"), std::string::npos) << why;
  EXPECT_EQ(why_names_are_missing(4711, {kIdleWait}, false, jvm, false), why)
      << "a stack cut short";
}

TEST(JavaNames, InterpretedMethods_Missing) {
  const ModuleMap jvm = modules("/opt/jdk/lib/server/libjvm.so");
  const std::string why = why_names_are_missing(1, {kIdleWait, kInterpreter}, true, jvm, false);
  EXPECT_NE(why.find("not compiled"), std::string::npos) << why;
  EXPECT_EQ(why.find("jcmd"), std::string::npos) << why;
}

TEST(JavaNames, NamesPresent_NothingSaid) {
  const ModuleMap jvm = modules("/opt/jdk/lib/server/libjvm.so");
  EXPECT_EQ(why_names_are_missing(1, {kIdleWait, kOwn, kInterpreter, kUnnamed}, false, jvm, false),
            "");
  EXPECT_EQ(why_names_are_missing(1, {kIdleWait}, true, jvm, false), "") << "of the JVM itself";
}

TEST(MissingNames, OtherPrograms_NotJava) {
  EXPECT_EQ(why_names_are_missing(1, {kUnnamed}, false, modules("/usr/bin/luajit"), false), "");
  EXPECT_EQ(why_names_are_missing(1, {kUnnamed}, false, ModuleMap(), false), "");
}

TEST(MissingNames, PerfMapTooLong_Said) {
  const ModuleMap node = modules("/usr/bin/node");
  const std::string why = why_names_are_missing(4711, {kUnnamed}, true, node, true);
  EXPECT_NE(why.find("/tmp/perf-4711.map"), std::string::npos) << why;
  EXPECT_EQ(why_names_are_missing(4711, {kIdleWait}, true, node, true), "");
}

}  // namespace
}  // namespace tailback
