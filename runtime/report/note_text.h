// A note as a sentence for people, without a newline.
#pragma once

#include <string>

#include "runtime/values/note.h"

namespace tailback {

std::string note_text(const Note& note);

}  // namespace tailback
