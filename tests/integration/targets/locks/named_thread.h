// A thread that has its name before it does anything.
#pragma once

#include <pthread.h>

#include <thread>
#include <utility>

template <typename Work>
std::thread named_thread(const char* name, Work work) {
  return std::thread([name, work = std::move(work)] {
    pthread_setname_np(pthread_self(), name);
    work();
  });
}
