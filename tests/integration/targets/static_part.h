// See static_part.cc.
#pragma once

long static_part_read(int fd, void* buffer, unsigned long count);
