#include "runtime/interpreters/python/versions.h"

#include <algorithm>
#include <array>

namespace tailback {
namespace {

// Found with offsetof() against the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7 and 3.12.1.
constexpr PythonLayout layout_3_8() {
  PythonLayout layout;
  layout.frames = PythonFrames::kObjects;
  layout.first_interpreter = 32;
  layout.gil = 1152;
  layout.next_interpreter = 0;
  layout.first_thread = 8;
  layout.modules = 56;
  layout.next_thread = 8;
  layout.thread_interpreter = 16;
  layout.thread_id = 176;
  layout.thread_frame = 24;
  layout.frame_code = 32;
  layout.frame_previous = 24;
  layout.frame_position = 104;
  layout.code_file = 104;
  layout.code_name = 112;
  layout.code_first_line = 40;
  layout.code_lines = 120;
  layout.code_code = 48;
  layout.string_ascii = 48;
  layout.string_other = 72;
  layout.task_name = 120;
  layout.task_coroutine = 112;
  layout.coroutine_frame = 16;
  layout.lines = PythonLines::kIncrements;
  layout.dict_says_size = true;
  return layout;
}

constexpr PythonLayout layout_3_9() {
  PythonLayout layout = layout_3_8();
  layout.gil = 352;
  layout.modules = 856;
  layout.task_name = 160;
  layout.task_coroutine = 152;
  return layout;
}

constexpr PythonLayout layout_3_10() {
  PythonLayout layout = layout_3_9();
  layout.frame_position = 96;
  layout.task_name = 168;
  layout.task_coroutine = 160;
  layout.lines = PythonLines::kRanges;
  layout.position_unit = 2;
  return layout;
}

constexpr PythonLayout layout_3_11() {
  PythonLayout layout;
  layout.frames = PythonFrames::kEntries;
  layout.first_interpreter = 40;
  layout.gil = 360;
  layout.next_interpreter = 0;
  layout.first_thread = 16;
  layout.modules = 888;
  layout.next_thread = 8;
  layout.thread_interpreter = 16;
  layout.native_thread_id = 160;
  layout.thread_id = 152;
  layout.thread_frame = 56;
  layout.through_cframe = true;
  layout.cframe_frame = 8;
  layout.frame_code = 32;
  layout.frame_previous = 48;
  layout.frame_position = 56;
  layout.frame_is_entry = 68;
  layout.code_file = 112;
  layout.code_name = 128;
  layout.code_first_line = 72;
  layout.code_lines = 136;
  layout.code_code = 184;
  layout.string_ascii = 48;
  layout.string_other = 72;
  layout.task_name = 144;
  layout.task_coroutine = 136;
  layout.coroutine_frame = 80;
  return layout;
}

constexpr PythonLayout layout_3_12() {
  PythonLayout layout = layout_3_11();
  layout.frames = PythonFrames::kShims;
  layout.first_thread = 72;
  layout.modules = 944;
  layout.gil = 384;
  layout.gil_of_interpreter = true;
  layout.native_thread_id = 144;
  layout.thread_id = 136;
  layout.cframe_frame = 0;
  layout.frame_code = 0;
  layout.frame_previous = 8;
  layout.frame_owner = 70;
  layout.code_first_line = 68;
  layout.code_code = 192;
  layout.string_ascii = 40;
  layout.string_other = 56;
  layout.coroutine_frame = 72;
  layout.tagged_integers = true;
  return layout;
}

// From 3.13 on: what the interpreter does not say.
constexpr PythonLayout layout_3_13() {
  PythonLayout layout;
  layout.frames = PythonFrames::kShims;
  layout.gil_of_interpreter = true;
  layout.task_name = 128;
  layout.task_coroutine = 120;
  layout.coroutine_frame = 72;
  layout.tagged_integers = true;
  return layout;
}

constexpr PythonLayout layout_3_14() {
  PythonLayout layout = layout_3_13();
  layout.frame_code_mask = ~uint64_t{7};  // the low bits of the pointer are tags
  layout.running_task_of_thread = true;
  layout.byte_locks = true;
  return layout;
}

constexpr PythonOffsetWords kWords313 = {
    .first_interpreter = 5,
    .next_interpreter = 8,
    .first_thread = 9,
    .modules = 11,
    .gil = 14,
    .next_thread = 21,
    .thread_interpreter = 22,
    .thread_frame = 23,
    .thread_id = 24,
    .native_thread_id = 25,
    .frame_previous = 29,
    .frame_code = 30,
    .frame_position = 31,
    .frame_owner = 33,
    .code_file = 35,
    .code_name = 37,
    .code_lines = 38,
    .code_first_line = 39,
    .code_code = 43,
    .bytes_size = 65,
    .bytes_data = 66,
    .string_state = 68,
    .string_length = 69,
    .string_ascii = 70,
};

constexpr PythonOffsetWords kWords314 = {
    .first_interpreter = 5,
    .next_interpreter = 8,
    .first_thread = 9,
    .modules = 12,
    .gil = 15,
    .next_thread = 24,
    .thread_interpreter = 25,
    .thread_frame = 26,
    .thread_id = 27,
    .native_thread_id = 28,
    .frame_previous = 32,
    .frame_code = 33,
    .frame_position = 34,
    .frame_owner = 36,
    .code_file = 40,
    .code_name = 42,
    .code_lines = 43,
    .code_first_line = 44,
    .code_code = 48,
    .bytes_size = 75,
    .bytes_data = 76,
    .string_state = 78,
    .string_length = 79,
    .string_ascii = 80,
};

constexpr auto kReleases = std::to_array<PythonRelease>({
    {.version = {3, 8}, .layout = layout_3_8()},
    {.version = {3, 9}, .layout = layout_3_9()},
    {.version = {3, 10}, .layout = layout_3_10()},
    {.version = {3, 11}, .layout = layout_3_11()},
    {.version = {3, 12}, .layout = layout_3_12()},
    {.version = {3, 13}, .layout = layout_3_13(), .words = &kWords313},
    {.version = {3, 14}, .layout = layout_3_14(), .words = &kWords314},
});

}  // namespace

std::string text_of(PythonVersion version) {
  return std::to_string(version.major) + '.' + std::to_string(version.minor);
}

std::span<const PythonRelease> python_releases() {
  return kReleases;
}

const PythonRelease* python_release(PythonVersion version) {
  const auto found =
      std::find_if(kReleases.begin(), kReleases.end(),
                   [&](const PythonRelease& release) { return release.version == version; });
  return found != kReleases.end() ? &*found : nullptr;
}

}  // namespace tailback
