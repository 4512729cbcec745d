// A line on standard error, for failures that would leave a user without any sign.
#pragma once

namespace tailback {

// Writes "tailback: ", the parts and the end of the line in one system call, so that the lines of
// several processes do not mix. Parts beyond 500 bytes are cut off.
void complain(const char* what, const char* where = "");

}  // namespace tailback
