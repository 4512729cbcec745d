#include "runtime/interpreters/python/lock.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "runtime/interpreters/python/thread.h"

namespace tailback {
namespace {

// An object of type _thread.RLock.
struct LockObject {
  uint64_t references;
  uint64_t type;
  uint64_t semaphore;  // what points to it; from 3.14 on the byte that is the lock
  uint64_t owner;      // as threading.get_ident() gives it
  uint64_t count;      // how often; from 3.14 on one less
};

// How far up the waiting thread's stack is searched: the call of the lock's method is among its
// innermost.
constexpr uint64_t kSearched = 4096;

// What may be addresses of objects, each once.
std::vector<RemoteAddress> candidates(const Snapshot& waiter) {
  const contract::Context& context = waiter.registers.context;
  std::vector<uint64_t> words(std::begin(context.saved), std::end(context.saved));
  for (uint64_t offset = 0; offset < kSearched; offset += sizeof(uint64_t)) {
    uint64_t word = 0;
    if (!waiter.read_stack(RemoteAddress(context.stack_pointer + offset), &word, sizeof word))
      break;
    words.push_back(word);
  }
  constexpr uint64_t kLowest = 4096;
  constexpr uint64_t kEnd = uint64_t{1} << 47;
  std::erase_if(words,
                [](uint64_t word) { return word < kLowest || word >= kEnd || word % 8 != 0; });
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::vector<RemoteAddress> addresses;
  for (const uint64_t word : words) addresses.emplace_back(word);
  return addresses;
}

bool is_lock_type(RemoteMemory& memory, uint64_t type) {
  constexpr std::string_view kName = "_thread.RLock";
  constexpr uint64_t kNameOfType = 24;
  const auto name = memory.value<RemoteAddress>(RemoteAddress(type) + kNameOfType);
  std::array<char, kName.size() + 1> text{};  // with its end
  return name && memory.read(*name, std::as_writable_bytes(std::span(text))) &&
         text.back() == '\0' && std::string_view(text.data()) == kName;
}

// From 3.14 on the lock is a byte within the object, and who waits for it stands in a list, with a
// semaphore of its own behind the byte's address.
std::optional<int> owner_of_byte(RemoteMemory& memory, const PythonInterpreter& python,
                                 RemoteAddress semaphore) {
  const auto byte = memory.value<RemoteAddress>(semaphore - sizeof(RemoteAddress));
  if (!byte || byte->value < offsetof(LockObject, semaphore)) return std::nullopt;
  const auto object = memory.value<LockObject>(*byte - offsetof(LockObject, semaphore));
  if (!object || object->owner == 0 || !is_lock_type(memory, object->type)) return std::nullopt;
  return python_thread_of_ident(memory, python, object->owner);
}

}  // namespace

std::optional<int> python_lock_owner(RemoteMemory& memory, const PythonInterpreter& python,
                                     RemoteAddress semaphore, const Snapshot& waiter) {
  if (semaphore.value == 0) return std::nullopt;
  if (python.layout.byte_locks) return owner_of_byte(memory, python, semaphore);
  const std::vector<RemoteAddress> addresses = candidates(waiter);
  std::vector<LockObject> objects(addresses.size());
  std::vector<RemoteMemory::Piece> pieces;
  for (size_t i = 0; i < addresses.size(); ++i)
    pieces.push_back({addresses[i], std::as_writable_bytes(std::span(&objects[i], 1))});
  memory.read(pieces);
  for (size_t i = 0; i < pieces.size(); ++i) {
    const LockObject& object = objects[i];
    if (!pieces[i].done || object.semaphore != semaphore.value || object.count == 0 ||
        object.owner == 0 || !is_lock_type(memory, object.type))
      continue;
    return python_thread_of_ident(memory, python, object.owner);
  }
  return std::nullopt;
}

}  // namespace tailback
