// Notes for people.
#include "runtime/report/note_text.h"

#include <gtest/gtest.h>

#include "report_samples.h"
#include "runtime/report/json_record.h"
#include "runtime/report/record_parser.h"

namespace tailback {
namespace {

Note blocked_end() {
  Note note = sample_stop();
  note.kind = NoteKind::kBlockedEnd;
  note.tid = note.pid;
  note.call = BlockedCall{"pthread_join", {}, "", true};
  note.stack = {sample_frame("Pool::~Pool()", "pool.cc", 12, "/srv/server", 0x10),
                sample_frame("exit", "", 0, "/lib/libc.so.6", 0x20)};
  note.owners = {sample_owner()};
  note.owners[0].lock = {};
  note.owners[0].lock.kind = LockKind::kThread;
  return note;
}

TEST(NoteText, MainThread_NamedOnce) {
  Note note = sample_stop();
  note.tid = note.pid;
  EXPECT_EQ(note_text(note),
            "server[4711] was stopped from outside (a signal or a debugger) for about 1.20 s: not "
            "counted");
}

TEST(NoteText, ProgramEnd_WhatItWasIn) {
  Note note = blocked_end();
  note.kind = NoteKind::kProgramEnd;
  EXPECT_EQ(note_text(note),
            "server[4711] took 1.20 s to end, in Pool::~Pool() (pool.cc:12): not counted");
  note.stack.clear();
  EXPECT_EQ(note_text(note), "server[4711] took 1.20 s to end: not counted");
  EXPECT_EQ(note_details(note, {}), "");
}

TEST(NoteText, BlockedEnd_ForWhomAndBothStacks) {
  EXPECT_EQ(note_text(blocked_end()),
            "server[4711] ends, and has waited for 1.20 s at Pool::~Pool() (pool.cc:12), in "
            "pthread_join, for thread flusher[4715], which is in fsync of /srv/data.aof at "
            "flush_all (store.cc:88)");
  EXPECT_EQ(note_details(blocked_end(), {}), R"(  waits
    #0  > Pool::~Pool()  pool.cc:12
    #1    exit           libc.so.6+0x20
  for     flusher[4715], which is in fsync of /srv/data.aof at flush_all (store.cc:88)
    #0  > flush_all  store.cc:88
)");
}

TEST(NoteText, BlockedEndForALock_SaysWhoHoldsIt) {
  Note note = blocked_end();
  note.call = BlockedCall{"pthread_mutex_lock", {}, "cache_mutex", true};
  note.owners = {sample_owner()};
  const std::string text = note_text(note);
  EXPECT_TRUE(text.find("in pthread_mutex_lock of cache_mutex, held by flusher[4715], which is in "
                        "fsync") != std::string::npos)
      << text;
}

TEST(NoteText, BlockedEndForSomebody_NamesThoseThatHaveNotEnded) {
  Note note = blocked_end();
  note.others = {note.owners[0], note.owners[0]};
  note.others[1].tid = 4716;
  note.others[1].thread = "copier";
  note.others[1].state = OwnerState::kRunning;
  note.owners.clear();
  const std::string text = note_text(note);
  EXPECT_TRUE(text.find(", for thread flusher[4715], which is in fsync of /srv/data.aof at "
                        "flush_all (store.cc:88) or copier[4716], which is running at") !=
              std::string::npos)
      << text;
}

TEST(NoteText, Recording_ReadsBackTheSame) {
  const Note note = blocked_end();
  const auto back = std::get<Note>(parse_record(json_line(note)));
  EXPECT_EQ(back.owners, note.owners);
  EXPECT_EQ(back.stack, note.stack);
  EXPECT_EQ(json_line(back), json_line(note));
}

}  // namespace
}  // namespace tailback
