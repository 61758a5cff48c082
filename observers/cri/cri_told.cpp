// SPDX-License-Identifier: Apache-2.0
#include "cri_told.hpp"

#include <type_traits>

#include "base/pack.hpp"

namespace tapio::cri {

namespace {

constexpr std::size_t kMaxTold = 65'536;  // of one answer

// Each kind names its members once, for both ways.
void members(Pod& it, auto&& each) {
  each(it.name), each(it.space), each(it.uid);
}
void members(Described& it, auto&& each) {
  each(it.time), each(it.id), each(it.runtime), each(it.name), each(it.image);
  members(it.pod, each);
  each(it.sandbox_id), each(it.sandbox), each(it.restarts), each(it.state);
  each(it.exit_code), each(it.exit_reason), each(it.labels);
}
void members(Unnamed& it, auto&& each) {
  each(it.id), each(it.asked);
}
void members(Removed& it, auto&& each) {
  each(it.time), each(it.id);
}
void members(RuntimeState& it, auto&& each) {
  each(it.time), each(it.socket), each(it.name), each(it.version), each(it.is), each(it.reason);
  each(it.hears_events), each(it.listed);
  each(it.created), each(it.running), each(it.exited), each(it.sandboxes);
}
void members(Calls& it, auto&& each) {
  each(it.time), each(it.runtime), each(it.method), each(it.window), each(it.count);
  each(it.errors), each(it.median), each(it.p99), each(it.longest);
}
void members(Pulled& it, auto&& each) {
  each(it.time), each(it.runtime), each(it.image), each(it.id), each(it.bytes);
}
void members(Counts& it, auto&& each) {
  each(it.lookups), each(it.unknown), each(it.refused), each(it.calls), each(it.failures);
  each(it.reconnects), each(it.events), each(it.dropped), each(it.cut);
}

constexpr int last_of(ContainerState) {
  return static_cast<int>(ContainerState::exited);
}
constexpr int last_of(RuntimeState::Is) {
  return static_cast<int>(RuntimeState::Is::not_a_runtime);
}

struct Write {
  Packer& pack;
  void operator()(const std::string& text) const { pack(std::string_view(text)); }
  void operator()(std::chrono::nanoseconds time) const { pack(time); }
  void operator()(auto number) const {
    if constexpr (std::is_same_v<decltype(number), bool> || std::is_enum_v<decltype(number)>)
      pack(static_cast<std::uint8_t>(number));
    else
      pack(number);
  }
};

struct Read {
  Unpacker& unpack;
  void operator()(std::string& text) const {
    std::string_view view;
    unpack(view);
    text = view;
  }
  template <typename T>
  void operator()(T& value) const {
    if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t byte = 0;
      unpack(byte);
      value = byte != 0;
    } else if constexpr (std::is_enum_v<T>) {
      std::uint8_t byte = 0;
      unpack(byte);
      if (byte > last_of(T{})) return unpack.fail();
      value = static_cast<T>(byte);
    } else {
      unpack(value);
    }
  }
};

// The kind with this number in the variant.
template <std::size_t I = 0>
Told empty_one(std::size_t kind) {
  if constexpr (I + 1 < std::variant_size_v<Told>)
    if (kind != I) return empty_one<I + 1>(kind);
  return std::variant_alternative_t<I, Told>{};
}

}  // namespace

std::string packed(const std::vector<Told>& told) {
  Packer pack;
  for (const Told& one : told) {
    pack(static_cast<std::uint8_t>(one.index()));
    std::visit([&](auto copy) { members(copy, Write{pack}); }, one);
  }
  return std::move(pack.bytes());
}

std::vector<Told> unpacked(std::string_view bytes) {
  std::vector<Told> told;
  for (Unpacker unpack(bytes); !unpack.rest().empty() && told.size() < kMaxTold;) {
    std::uint8_t kind = 0;
    if (!unpack(kind).ok() || kind >= std::variant_size_v<Told>) break;
    Told one = empty_one(kind);
    std::visit([&](auto& it) { members(it, Read{unpack}); }, one);
    if (!unpack.ok()) break;
    told.push_back(std::move(one));
  }
  return told;
}

}  // namespace tapio::cri
