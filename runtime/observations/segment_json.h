// Changes of the segment's structs as JSON, by the names of their fields.
#pragma once

#include <array>
#include <atomic>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtime/observations/function_names.h"
#include "runtime/observations/segment_fields.h"

namespace tailback {

using Json = nlohmann::json;

template <typename T>
struct IsAtomic : std::false_type {};
template <typename T>
struct IsAtomic<std::atomic<T>> : std::true_type {};

template <typename T>
auto load_field(const T& field) {
  if constexpr (IsAtomic<T>::value) {
    return field.load(std::memory_order_relaxed);
  } else {
    return field;
  }
}

template <typename T, typename V>
void store_field(T& field, V value) {
  if constexpr (IsAtomic<T>::value) {
    field.store(value, std::memory_order_relaxed);
  } else {
    field = value;
  }
}

std::string hex_of(const char* bytes, size_t size);  // without the zeros at the end
void bytes_of(const std::string& hex, char* bytes, size_t size);

// Adds to `changes` what differs between `known` and `now`, and makes `known` alike.
template <typename T>
void take_changes(std::string_view name, T& known, const T& now, Json& changes) {
  if constexpr (std::is_array_v<T>) {
    if (std::memcmp(static_cast<const void*>(&known), static_cast<const void*>(&now), sizeof now) ==
        0) {
      return;
    }
    if constexpr (std::is_same_v<std::remove_extent_t<T>, char>) {
      changes[name] = hex_of(now, sizeof now);
      std::memcpy(known, now, sizeof now);
    } else {
      Json inner = Json::object();
      for (size_t i = 0; i < std::extent_v<T>; ++i) {
        take_changes(std::to_string(i), known[i], now[i], inner);
      }
      if (!inner.empty()) changes[name] = std::move(inner);
    }
  } else if constexpr (Described<T>) {
    Json inner = Json::object();
    each_field([&](const char* field,
                   auto member) { take_changes(field, known.*member, now.*member, inner); },
               static_cast<T*>(nullptr));
    if (!inner.empty()) changes[name] = std::move(inner);
  } else {
    const auto value = load_field(now);
    if (value == load_field(known)) return;
    store_field(known, value);
    if constexpr (std::is_enum_v<decltype(value)>) {
      changes[name] = static_cast<uint64_t>(value);
    } else if (name == "function") {
      changes[name] = name_of_function(static_cast<uint32_t>(value));
    } else {
      changes[name] = value;
    }
  }
}

// Makes the changes that take_changes() gave. Fields that this build does not know are left out.
template <typename T>
void apply_changes(T& to, const Json& changes) {
  if constexpr (std::is_array_v<T>) {
    if constexpr (std::is_same_v<std::remove_extent_t<T>, char>) {
      bytes_of(changes.get<std::string>(), to, sizeof to);
    } else {
      for (const auto& [index, change] : changes.items()) {
        const size_t at = std::stoul(index);
        if (at < std::extent_v<T>) apply_changes(to[at], change);
      }
    }
  } else if constexpr (Described<T>) {
    each_field(
        [&](const char* field, auto member) {
          const auto change = changes.find(field);
          if (change != changes.end()) apply_changes(to.*member, *change);
        },
        static_cast<T*>(nullptr));
  } else {
    using Value = decltype(load_field(to));
    if constexpr (std::is_enum_v<Value>) {
      store_field(to, static_cast<Value>(changes.get<uint64_t>()));
    } else if (changes.is_string()) {
      store_field(to, static_cast<Value>(function_named(changes.get<std::string>())));
    } else {
      store_field(to, changes.get<Value>());
    }
  }
}

// Stores in `live` each field in which `changed` differs from `known`, and makes `known` alike.
template <typename T>
void pass_changes_on(T& known, const T& changed, T& live) {
  if constexpr (std::is_array_v<T>) {
    if constexpr (!std::is_same_v<std::remove_extent_t<T>, char>) {
      if (std::memcmp(static_cast<const void*>(&known), static_cast<const void*>(&changed),
                      sizeof known) == 0) {
        return;
      }
      for (size_t i = 0; i < std::extent_v<T>; ++i) {
        pass_changes_on(known[i], changed[i], live[i]);
      }
    }
  } else if constexpr (Described<T>) {
    each_field([&](const char*,
                   auto member) { pass_changes_on(known.*member, changed.*member, live.*member); },
               static_cast<T*>(nullptr));
  } else {
    const auto value = load_field(changed);
    if (value == load_field(known)) return;
    store_field(known, value);
    store_field(live, value);
  }
}

}  // namespace tailback
