// What reports make of Python: its frames, its tasks, its lock.
#include <gtest/gtest.h>

#include "runtime/report/json_record.h"
#include "runtime/report/record_parser.h"
#include "runtime/report/stack_text.h"
#include "runtime/report/stall_text.h"
#include "tests/unit/report_samples.h"

namespace tailback {
namespace {

Frame python_frame(std::string function, std::string file, int line) {
  Frame frame = sample_frame(std::move(function), std::move(file), line, "", 0);
  frame.language = "python";
  return frame;
}

const std::string kPython = "/usr/bin/python3.11";

std::vector<Frame> python_stack() {
  const std::string asyncio = "/usr/lib/python3.11/asyncio/events.py";
  return {sample_frame("", "", 0, kPython, 0x5b50f7),
          sample_frame("PyObject_Vectorcall", "", 0, kPython, 0x5132eb),
          python_frame("Handler.get", "/srv/app/handlers.py", 12),
          sample_frame("task_step", "", 0,
                       "/usr/lib/python3.11/lib-dynload/_asyncio.cpython-311-x86_64-linux-gnu.so",
                       0x100),
          python_frame("Handle._run", asyncio, 80),
          python_frame("get", "/usr/lib/python3/dist-packages/web/api.py", 5),
          python_frame("<module>", "/srv/app/main.py", 30),
          sample_frame("Py_RunMain", "", 0, kPython, 0x200),
          sample_frame("main", "", 0, kPython, 0x300)};
}

TEST(ReportOfPython, InterpreterFrames_Folded) {
  EXPECT_EQ(stack_text(python_stack(), 2, {}, ""),
            "     … 2 frames of python3.11 …\n"
            "#2  > Handler.get  /srv/app/handlers.py:12\n"
            "     … 2 frames: 1 of _asyncio.cpython-311-x86_64-linux-gnu.so, 1 of Python …\n"
            "#5    get          /usr/lib/python3/dist-packages/web/api.py:5\n"
            "#6    <module>     /srv/app/main.py:30\n"
            "     … 2 frames of python3.11 …\n");
}

Stall stall_by_the_lock() {
  Stall stall = sample_sleep();
  stall.cause = Cause::kGil;
  stall.stack = python_stack();
  stall.task = "Task-7";
  stall.call = BlockedCall{"pthread_cond_timedwait", {}, "the interpreter's lock (GIL)", true, {}};
  stall.call->owner_stack = {python_frame("hog", "/srv/app/work.py", 3),
                             python_frame("Thread.run", "/usr/lib/python3.11/threading.py", 975)};
  return stall;
}

TEST(ReportOfPython, Written_ReadBack) {
  const Stall stall = stall_by_the_lock();
  const auto back = std::get<Stall>(parse_record(json_line(stall)));
  EXPECT_EQ(back.stack, stall.stack);
  EXPECT_EQ(back.task, "Task-7");
  EXPECT_EQ(back.call, stall.call);
  EXPECT_EQ(std::get<Stall>(parse_record(json_line(sample_sleep()))).task, "");
}

TEST(ReportOfPython, GilHolderAndTask_Shown) {
  const std::string text = full_stall_text(stall_by_the_lock(), {});
  EXPECT_NE(text.find("  task     Task-7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  holder   in hog (/srv/app/work.py:3), called from Thread.run ("),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace tailback
