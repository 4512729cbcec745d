// What an observer is told to look for. A plain value.
#pragma once

#include <chrono>

#include "runtime/explain/culprit.h"
#include "runtime/watch/hazard_watch.h"
#include "runtime/watch/loop_choice.h"

namespace tailback {

struct ObserverSettings {
  Nanoseconds threshold = std::chrono::milliseconds(100);
  HazardSettings hazards{};
  CulpritRule culprits{};
  LoopGlobs loops{};  // which threads are loops or none, by their names
};

}  // namespace tailback
