// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <compare>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "bpf/abi.h"

namespace tapio {

enum class Kind : std::uint8_t { event, metric, finding, story, gap };
enum class Type : std::uint8_t { boolean, i64, u64, f64, duration, time, text, texts };

[[nodiscard]] std::string_view name(Kind kind);
[[nodiscard]] std::string_view name(Type type);
[[nodiscard]] std::string_view name(tapio_class event_class);
[[nodiscard]] std::string_view name(tapio_outcome outcome);

struct Field {
  std::string_view
      name;  // as it leaves Tapio: OpenTelemetry's semantic convention where one exists
  Type type;
  std::string_view help;
  std::string_view column = {};  // its head in tables; empty: shown by `-o wide` alone
  std::string_view unit = {};    // UCUM as in OpenTelemetry: "s", "By", "1"
};

// What a record kind looks like; declared once as a constexpr `SchemaOf`. JSON, tables, SQL, the
// web page and the docs come from it.
struct Schema {
  std::string_view name;  // "process.exec"
  Kind kind;
  std::string_view help;
  std::span<const Field> fields;
  std::uint32_t own_keys = 0;  // bit n: one of the fields is called kKeysOfWho[n]
};

// monostate: not known. Text and lists lie in the arena of the record's batch.
using Value =
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                 std::chrono::nanoseconds, std::string_view, std::span<const std::string_view>>;

// Unique over restarts: the second the agent started, and a count.
struct RecordId {
  std::uint32_t run = 0;
  std::uint64_t number = 0;
  auto operator<=>(const RecordId&) const = default;
  [[nodiscard]] std::string text() const;  // "673e9a10.42"
};

enum class Order : std::uint8_t { in_time, late };  // late: older than a record handed out before

// Where a record comes from: what the event header says of the acting task.
struct Origin {
  MonotonicTime time{};
  std::uint64_t cgroup_id = 0;  // 0: unknown
  std::uint32_t pid = 0;        // 0: no process
  std::uint32_t tid = 0;
  tapio_class event_class = TAPIO_NORMAL;
  Order order = Order::in_time;
};

// Where `origin.cgroup_id` is, see facts/world.hpp: Cgroup. "": not known, or none.
struct Place {
  std::string_view cgroup_path;
  std::string_view container_id;
  std::string_view container_runtime;
  std::string_view pod_uid;
  std::string_view unit;
  std::string_view user_unit;
  // What the runtime says of the container, see facts/world.hpp: Container.
  std::string_view container_name;
  std::string_view container_image;
  std::string_view pod_name;
  std::string_view pod_namespace;
};

// Who `origin.pid` is, as far as known when the record was handed out.
struct Context {
  std::string_view process_id;  // stable over pid reuse, see facts/facts.hpp
  std::uint32_t parent_pid = 0;
  std::string_view process_name;
  std::string_view executable;
  Place place{};  // of the record's cgroup; also when no process is known
};

struct Record {
  static constexpr std::size_t kMaxFields = 28;
  const Schema* schema = nullptr;  // static storage
  Origin origin{};
  RecordId id{};
  const Context* context = nullptr;  // in the batch; nullptr: nobody known
  std::array<Value, kMaxFields> values{};
};

// What the field with this name holds; nullptr: the schema has none.
[[nodiscard]] const Value* value_of(const Record& record, std::string_view field);
// Its text; "": there is none.
[[nodiscard]] std::string_view text_of(const Record& record, std::string_view field);

// Keys that every record has when it leaves Tapio, so that no schema may declare them.
inline constexpr std::array<std::string_view, 4> kKeysOfAll = {"type", "name", "time", "id"};

// Keys that say who acted and where. A record has those that are known, unless a field of its
// schema has that name.
enum class Who : std::uint8_t {
  pid,
  tid,
  parent_pid,
  name,
  executable,
  process_id,
  cgroup_id,
  container_id,
  container_runtime,
  pod_uid,
  unit,
  user_unit,
  cgroup_path,
  container_name,
  container_image,
  pod_name,
  pod_namespace,
  event_class,
  late,
};
inline constexpr std::array<std::string_view, 19> kKeysOfWho = {"process.pid",
                                                                "thread.id",
                                                                "process.parent_pid",
                                                                "process.executable.name",
                                                                "process.executable.path",
                                                                "tapio.process.id",
                                                                "tapio.cgroup.id",
                                                                "container.id",
                                                                "container.runtime.name",
                                                                "k8s.pod.uid",
                                                                "systemd.unit",
                                                                "systemd.user_unit",
                                                                "tapio.cgroup.path",
                                                                "container.name",
                                                                "container.image.name",
                                                                "k8s.pod.name",
                                                                "k8s.namespace.name",
                                                                "tapio.class",
                                                                "tapio.late"};

// Nanoseconds since the epoch. The kernel's numbers may be anything: a time that does not fit is
// the nearest that does.
[[nodiscard]] std::chrono::nanoseconds wall_time(MonotonicTime time, const Clocks& clocks);

// A schema and its fields, and the only way to make a record of it: one value per field, in order,
// counted by the compiler.
template <std::size_t N>
class SchemaOf : public Schema {
 public:
  template <typename... Fields>
  constexpr SchemaOf(std::string_view name, Kind kind, std::string_view help, Fields... list)
      : Schema{name, kind, help, {}}, own_{list...} {
    static_assert(N <= Record::kMaxFields);
    fields = own_;
    for (const Field& field : own_) {
      if (std::ranges::find(kKeysOfAll, field.name) != kKeysOfAll.end() || !is_plain(field.name))
        std::abort();  // a constexpr schema does not compile
      const auto who = std::ranges::find(kKeysOfWho, field.name) - kKeysOfWho.begin();
      if (who < std::ssize(kKeysOfWho)) own_keys |= 1u << who;
    }
    if (!is_plain(name)) std::abort();
  }
  SchemaOf(const SchemaOf&) = delete;  // `fields` points into it
  SchemaOf& operator=(const SchemaOf&) = delete;

  template <typename... Values>
  [[nodiscard]] Record operator()(const Origin& origin, Values&&... values) const {
    static_assert(sizeof...(Values) == N, "one value per field of the schema");
    return {.schema = this, .origin = origin, .values = {value(values)...}};
  }

 private:
  // It goes into JSON as it is.
  static constexpr bool is_plain(std::string_view key) {
    return std::ranges::all_of(key,
                               [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
  }
  static Value value(bool v) { return v; }
  static Value value(std::signed_integral auto v) { return std::int64_t{v}; }
  static Value value(std::unsigned_integral auto v) { return std::uint64_t{v}; }
  static Value value(double v) { return v; }
  static Value value(const std::string&) = delete;  // text lies in the arena: Arena::keep
  static Value value(auto v) { return v; }

  std::array<Field, N> own_;
};
template <typename... Fields>
SchemaOf(std::string_view, Kind, std::string_view, Fields...) -> SchemaOf<sizeof...(Fields)>;

// Memory that is given back all at once: texts and lists of records.
class Arena {
 public:
  Arena() = default;
  // Begins with room of the caller's, before it takes any of the heap.
  explicit Arena(std::span<std::byte> room) : bytes_(room.data(), room.size(), &heap_) {}

  std::string_view keep(std::string_view text) {
    const auto copy = room(text.size());
    text.copy(copy.data(), text.size());  // std::ranges::copy() goes byte by byte here
    return {copy.data(), copy.size()};
  }
  // Room for as many characters, which the caller writes.
  std::span<char> room(std::size_t size) {
    if (!size) return {};
    return {static_cast<char*>(bytes_.allocate(size, 1)), size};
  }
  // Room for `count` views; the caller fills them with text that this arena keeps.
  std::span<std::string_view> list(std::size_t count) {
    if (!count) return {};
    auto* first = static_cast<std::string_view*>(
        bytes_.allocate(count * sizeof(std::string_view), alignof(std::string_view)));
    std::uninitialized_value_construct_n(first, count);
    return {first, count};
  }
  // A copy of plain values.
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  std::span<const T> keep(std::span<const T> values) {
    if (values.empty()) return {};
    auto* copy = static_cast<T*>(bytes_.allocate(values.size_bytes(), alignof(T)));
    std::uninitialized_copy(values.begin(), values.end(), copy);
    return {copy, values.size()};
  }
  // The value, with its texts kept here.
  Value keep_value(const Value& value) {
    if (const auto* text = std::get_if<std::string_view>(&value)) return keep(*text);
    const auto* texts = std::get_if<std::span<const std::string_view>>(&value);
    if (!texts) return value;
    const auto kept = list(texts->size());
    std::ranges::transform(*texts, kept.begin(), [&](std::string_view text) { return keep(text); });
    return kept;
  }
  void clear() {
    bytes_.release();
    heap_.taken = 0;
  }
  // What it takes of the heap, in bytes.
  [[nodiscard]] std::size_t taken() const { return heap_.taken; }
  // For containers that live as long.
  [[nodiscard]] std::pmr::memory_resource* memory() { return &bytes_; }

 private:
  struct Heap : std::pmr::memory_resource {
    std::size_t taken = 0;

    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
      taken += bytes;
      return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override {
      std::pmr::new_delete_resource()->deallocate(at, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
      return this == &other;
    }
  };
  static constexpr std::size_t kFirstBlock = 4096;

  Heap heap_;
  std::pmr::monotonic_buffer_resource bytes_{kFirstBlock, &heap_};
};

// Records that leave the pipeline together, with all that they point to. Filled by one thread, then
// shared by all consumers and never changed again.
struct Batch {
  Clocks clocks;
  Arena arena;
  std::pmr::deque<Record> records{arena.memory()};    // records are large, and are not to be moved
  std::pmr::deque<Context> contexts{arena.memory()};  // what the records point to

  [[nodiscard]] std::size_t bytes() const { return sizeof(Batch) + arena.taken(); }
};

}  // namespace tapio
