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

// How the CPUs of a machine share ring buffers: 2^shift CPUs that follow each other have one.
struct CpuGroups {
  std::uint32_t rings = 1;
  std::uint32_t shift = 0;  // of no matter for one ring
};

inline constexpr std::uint32_t kCpusPerRing = 16;  // unless told otherwise

// Pure. The fewest CPUs to a ring, `cpus_per_ring` or more, with which there are at most
// TAPIO_MAX_RINGS rings and one page for each. `cpus_per_ring`: a power of two, or 0: kCpusPerRing.
[[nodiscard]] CpuGroups group_cpus(std::uint32_t cpus, std::uint32_t cpus_per_ring,
                                   std::size_t pages);

// A stream of events from the kernel, and the maps behind it: a ring buffer where there are any, or
// one for each group of CPUs; else a perf buffer per CPU. It exists before the objects that write
// to it, so that several can share it and no map has to be retyped. What comes out is the same
// bytes either way.
class Channel {
 public:
  enum class Kind : std::uint8_t { ring, perf };
  enum class Wake : std::uint8_t { when_half_full, at_once };
  using OnBytes = std::function<void(Bytes)>;  // the bytes live until it returns

  // `bytes`: a power of two, of pages. Rings share them, each a power of two of pages; so do perf
  // buffers, which have one page each at least.
  static Result<std::unique_ptr<Channel>> open(const char* map, Kind, Wake, std::size_t bytes,
                                               OnBytes, const CpuGroups& groups = {});

  void consume();                                                   // all there is
  [[nodiscard]] int map_fd() const { return maps_.front().get(); }  // of the first ring, or of all
  // Of the map of rings, by group of CPUs; below 0 where there is one ring, or none.
  [[nodiscard]] int rings_fd() const { return by_group_.get(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // of all its buffers
  [[nodiscard]] int wait_fd() const;
  // What the kernel says it threw away. The same records are `ring_full` in the ledger.
  [[nodiscard]] std::uint64_t lost_in_perf() const { return lost_; }

 private:
  Channel() = default;
  Status open_rings(const char* map, std::size_t bytes, std::uint32_t rings);
  Status add_ring(const char* map, std::size_t bytes);
  Status list_rings();
  Status open_perf(const char* map, Wake, std::size_t bytes);

  std::vector<Fd> maps_;
  Fd by_group_;
  std::size_t bytes_ = 0;
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
