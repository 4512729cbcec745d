// A note for people.
#pragma once

#include <string>

#include "runtime/report/text_style.h"
#include "runtime/values/note.h"

namespace tailback {

// A sentence, without a newline.
std::string note_text(const Note& note);

// Lines below it: of a program's end that waits, its stack and those of whom it waits for.
std::string note_details(const Note& note, const TextStyle& style);

}  // namespace tailback
