// What frames, files and programs of the interpreted languages are called.
#include "runtime/interpreters/languages.h"

#include <gtest/gtest.h>

#include "runtime/interpreters/python/module_name.h"

namespace tailback {
namespace {

Frame frame_in(const std::string& language, const std::string& file) {
  Frame frame;
  frame.language = language;
  frame.file = file;
  return frame;
}

Frame native_in(const std::string& module) {
  Frame frame;
  frame.module = module;
  return frame;
}

TEST(Languages, OwnLibrary_OfPython) {
  for (const char* file : {"<frozen importlib._bootstrap>", "/usr/lib/python3.11/asyncio/events.py",
                           "/usr/lib64/python3.12/selectors.py", "/opt/python311.zip/json/x.py"}) {
    EXPECT_TRUE(is_of_interpreter_library(frame_in("python", file))) << file;
  }
  for (const char* file : {"/srv/app.py", "/usr/lib/python3/dist-packages/x.py",
                           "/usr/lib64/python3.12/site-packages/flask/app.py", "<string>"}) {
    EXPECT_FALSE(is_of_interpreter_library(frame_in("python", file))) << file;
  }
  EXPECT_TRUE(is_of_interpreter_library(native_in("/usr/lib/python3.11/lib-dynload/_ssl.so")));
  EXPECT_FALSE(is_of_interpreter_library(native_in("/usr/lib/libssl.so.3")));
}

TEST(Languages, OwnLibrary_OfJavaScript) {
  EXPECT_TRUE(is_of_interpreter_library(frame_in("javascript", "node:internal/timers")));
  EXPECT_FALSE(is_of_interpreter_library(frame_in("javascript", "/srv/node:x/app.js")));
  EXPECT_FALSE(is_of_interpreter_library(frame_in("python", "node:internal/timers")));
}

TEST(Languages, Package_OfItsOwnLanguageOnly) {
  const Frame flask = frame_in("python", "/srv/venv/lib/python3.11/site-packages/flask/app.py");
  const Frame express = frame_in("javascript", "/srv/node_modules/express/index.js");
  ASSERT_NE(language_of(flask), nullptr);
  ASSERT_NE(language_of(express), nullptr);
  EXPECT_EQ(language_of(flask)->name, "Python");
  EXPECT_EQ(language_of(express)->name, "JavaScript");
  EXPECT_TRUE(language_of(flask)->is_package(flask));
  EXPECT_TRUE(language_of(express)->is_package(express));
  EXPECT_FALSE(language_of(flask)->is_package(express));
  EXPECT_FALSE(language_of(express)->is_package(frame_in("javascript", "/srv/app.js")));
}

TEST(Languages, Frame_NativeAndJavaHaveNone) {
  EXPECT_EQ(language_of(native_in("/usr/bin/python3.11")), nullptr);
  EXPECT_EQ(language_of(frame_in("java", "")), nullptr);
}

std::string_view runtime_in(std::string_view path) {
  const Language* const language = language_of_module(path);
  return language != nullptr ? language->runtime : "none";
}

TEST(Languages, Module_ByFileName) {
  for (const char* path : {"/usr/bin/python", "/usr/bin/python3", "/usr/bin/python3.11",
                           "/opt/python3.13t", "/opt/python3.11.4", "/opt/python3.12d",
                           "/usr/lib/libpython3.8.so.1.0", "/usr/lib/libpython3.7m.so.1.0",
                           "/usr/lib/libpython3.so", "/opt/pypy3.10", "/opt/libpypy3.10-c.so"}) {
    EXPECT_EQ(runtime_in(path), "python") << path;
  }
  for (const char* path :
       {"/usr/bin/node", "/usr/bin/node20", "/usr/bin/nodejs", "/usr/lib/libnode.so.108"}) {
    EXPECT_EQ(runtime_in(path), "node") << path;
  }
  for (const char* path :
       {"/usr/bin/python3-config", "/usr/bin/python-helper", "/usr/bin/node_exporter",
        "/usr/bin/nodeadmin", "/usr/bin/pythonista", "/usr/lib/libc.so.6", "[vdso]", ""}) {
    EXPECT_EQ(runtime_in(path), "none") << path;
  }
}

TEST(Languages, OneThread_NotWithoutTheGil) {
  const Language* const python = language_of_module("/usr/bin/python3.13");
  ASSERT_NE(python, nullptr);
  EXPECT_TRUE(python->runs_one_thread("/usr/bin/python3.13"));
  EXPECT_FALSE(python->runs_one_thread("/usr/bin/python3.13t"));
  EXPECT_FALSE(python->runs_one_thread("/usr/lib/libpython3.14t.so.1.0"));
}

TEST(PythonModuleName, Version_OnlyIfBothNumbersAreThere) {
  EXPECT_EQ(python_module_name("/usr/bin/python3.14")->version, (PythonVersion{3, 14}));
  EXPECT_EQ(python_module_name("libpython3.8.so.1.0")->version, (PythonVersion{3, 8}));
  EXPECT_EQ(python_module_name("libpython3.so.1.0")->version, PythonVersion());
  EXPECT_EQ(python_module_name("python3")->version, PythonVersion());
  EXPECT_TRUE(python_module_name("python3.12d")->debug);
  EXPECT_FALSE(python_module_name("python3.12")->debug);
}

}  // namespace
}  // namespace tailback
