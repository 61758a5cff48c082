// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace tapio::capture {

// A stream of events from the kernel, and the map behind it: a ring buffer where there is one,
// else a perf buffer per CPU. It exists before the objects that write to it, so that several can
// share it and no map has to be retyped. What comes out is the same bytes either way.
class Channel {
 public:
  enum class Kind : std::uint8_t { ring, perf };
  enum class Wake : std::uint8_t { when_half_full, at_once };
  using OnBytes = std::function<void(Bytes)>;  // the bytes live until it returns

  // `bytes`: a power of two, of pages. A perf channel divides them among the CPUs.
  static Result<std::unique_ptr<Channel>> open(const char* map, Kind, Wake, std::size_t bytes,
                                               OnBytes);

  void consume();  // all there is
  [[nodiscard]] int map_fd() const { return map_.get(); }
  [[nodiscard]] int wait_fd() const;
  // What the kernel says it threw away. The same records are `ring_full` in the ledger.
  [[nodiscard]] std::uint64_t lost_in_perf() const { return lost_; }

 private:
  Channel() = default;
  Status open_ring();
  Status open_perf(Wake, std::size_t bytes_per_cpu);

  Fd map_;
  OnBytes on_bytes_;
  std::uint64_t lost_ = 0;
  std::unique_ptr<ring_buffer, Freed<ring_buffer__free>> ring_;
  std::unique_ptr<perf_buffer, Freed<perf_buffer__free>> perf_;
};

// Waits for channels: a beat, or less when the kernel side asks to be read at once.
class Drain {
 public:
  static Result<Drain> open(std::span<Channel* const> channels);
  Status wait(std::chrono::milliseconds beat);

 private:
  Fd epoll_;
};

}  // namespace tapio::capture
