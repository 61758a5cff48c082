// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstring>
#include <type_traits>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "bpf/abi.h"

namespace tapio::wire {

template <typename T>
concept Wire = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>;

// The only way bytes become a struct. A copy, never a cast: perf samples are 4-byte aligned.
template <Wire T>
Result<T> read(Bytes bytes) {
  if (bytes.size() < sizeof(T))
    return invalid(fmt::format("{} bytes, need {}", bytes.size(), sizeof(T)));
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

struct Sample {
  tapio_event_header header;
  Bytes bytes;  // exactly header.size of them; perf padding is cut off
};

inline Result<Sample> open_sample(Bytes raw) {
  auto header = TRY(read<tapio_event_header>(raw));
  if (header.size < sizeof header || header.size > raw.size())
    return invalid(fmt::format("header says {} bytes, sample has {}", header.size, raw.size()));
  if (header.time_ns > static_cast<std::uint64_t>(kLatestTime.count()))
    return invalid(fmt::format("header says {} ns since boot", header.time_ns));
  return Sample{header, raw.first(header.size)};
}

// Fixed-size event of one known version. A longer one is a newer minor: its tail is ignored.
template <Wire T>
  requires std::same_as<decltype(T::header), tapio_event_header>
Result<T> event(const Sample& sample, std::uint16_t version) {
  if (sample.header.version != version)
    return invalid(fmt::format("kind {:#06x}: version {}, expected {}", sample.header.kind,
                               sample.header.version, version));
  return read<T>(sample.bytes);
}

// A variable piece of an event, where the event says it is; checked against the sample.
inline Result<Bytes> slice(const Sample& sample, std::size_t offset, std::size_t size) {
  if (offset > sample.bytes.size() || size > sample.bytes.size() - offset)
    return invalid(fmt::format("kind {:#06x}: bytes {}+{} of {}", sample.header.kind, offset, size,
                               sample.bytes.size()));
  return sample.bytes.subspan(offset, size);
}

inline std::string_view chars(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace tapio::wire
