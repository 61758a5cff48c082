// SPDX-License-Identifier: Apache-2.0
#include "capture/channel.hpp"

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/epoll.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "bpf/abi.h"

namespace tapio::capture {

namespace {

std::size_t page_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

CpuGroups group_cpus(std::uint32_t cpus, std::uint32_t cpus_per_ring, std::size_t pages) {
  const auto most = std::min(std::size_t{TAPIO_MAX_RINGS}, std::max(pages, std::size_t{1}));
  auto shift = static_cast<std::uint32_t>(
      std::countr_zero(std::bit_floor(cpus_per_ring ? cpus_per_ring : kCpusPerRing)));
  const auto rings = [&] { return ((cpus - 1) >> shift) + 1; };
  while (rings() > most) ++shift;
  return {.rings = rings(), .shift = shift};
}

Result<std::unique_ptr<Channel>> Channel::open(const char* map, Kind kind, Wake wake,
                                               std::size_t bytes, OnBytes on_bytes,
                                               const CpuGroups& groups) {
  std::unique_ptr<Channel> channel(new Channel);
  channel->on_bytes_ = std::move(on_bytes);
  TRY(kind == Kind::ring ? channel->open_rings(map, bytes, groups.rings)
                         : channel->open_perf(map, wake, bytes));
  return channel;
}

Status Channel::open_rings(const char* map, std::size_t bytes, std::uint32_t rings) {
  const auto each = std::bit_floor(bytes / rings);
  for (std::uint32_t i = 0; i < rings; ++i) TRY(add_ring(map, each));
  return rings > 1 ? list_rings() : Status{};
}

Status Channel::add_ring(const char* map, std::size_t bytes) {
  const auto on_sample = [](void* self, void* data, std::size_t size) {
    static_cast<Channel*>(self)->on_bytes_({static_cast<const std::byte*>(data), size});
    return 0;
  };
  Fd& ring = maps_.emplace_back(
      bpf_map_create(BPF_MAP_TYPE_RINGBUF, map, 0, 0, static_cast<std::uint32_t>(bytes), nullptr));
  if (!ring) return from_errno(errno, std::string("create map ") + map);
  bytes_ += bytes;
  if (ring_) {
    if (ring_buffer__add(ring_.get(), ring.get(), on_sample, this))
      return from_errno(errno, "open one more ring buffer");
    return {};
  }
  ring_.reset(ring_buffer__new(ring.get(), on_sample, this, nullptr));
  if (!ring_) return from_errno(errno, "open ring buffer");
  return {};
}

Status Channel::list_rings() {
  LIBBPF_OPTS(bpf_map_create_opts, options,
              .inner_map_fd = static_cast<std::uint32_t>(maps_.front().get()));
  const auto count = static_cast<std::uint32_t>(maps_.size());
  by_group_ = Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "rings", 4, 4, count, &options));
  if (!by_group_) return from_errno(errno, "create map rings");
  for (std::uint32_t group = 0; group < count; ++group)
    if (const int ring = maps_[group].get();
        bpf_map_update_elem(by_group_.get(), &group, &ring, BPF_ANY))
      return from_errno(errno, "list ring buffers");
  return {};
}

// libbpf's plain perf buffer wakes its reader for every sample; here the kernel wakes it at a
// fill mark, unless told otherwise.
Status Channel::open_perf(const char* map, Wake wake, std::size_t bytes) {
  const auto cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
  const auto page = page_bytes();
  const auto pages = std::bit_floor(std::max(bytes / cpus / page, std::size_t{1}));
  bytes_ = cpus * pages * page;
  maps_.emplace_back(bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, map, 4, 4, cpus, nullptr));
  if (!maps_.front()) return from_errno(errno, std::string("create map ") + map);
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_BPF_OUTPUT;
  attr.sample_type = PERF_SAMPLE_RAW;
  attr.sample_period = 1;
  attr.watermark = wake == Wake::when_half_full;
  attr.wakeup_watermark = attr.watermark ? pages * page / 2 : 1;  // a union with wakeup_events

  const auto on_event = [](void* self, int, perf_event_header* event) {
    struct Sample {
      perf_event_header header;
      std::uint32_t size;
      std::byte data[];
    };
    struct Lost {
      perf_event_header header;
      std::uint64_t id, count;
    };
    auto& channel = *static_cast<Channel*>(self);
    if (event->type == PERF_RECORD_SAMPLE) {
      const auto* sample = static_cast<const Sample*>(static_cast<void*>(event));
      channel.on_bytes_({sample->data, sample->size});
    } else if (event->type == PERF_RECORD_LOST) {
      channel.lost_ += static_cast<const Lost*>(static_cast<void*>(event))->count;
    }
    return LIBBPF_PERF_EVENT_CONT;
  };
  perf_.reset(perf_buffer__new_raw(map_fd(), pages, &attr, on_event, this, nullptr));
  if (!perf_) return from_errno(errno, "open perf buffer");
  return {};
}

void Channel::consume() {
  if (ring_) ring_buffer__consume(ring_.get());
  if (perf_) perf_buffer__consume(perf_.get());
}

int Channel::wait_fd() const {
  return ring_ ? ring_buffer__epoll_fd(ring_.get()) : perf_buffer__epoll_fd(perf_.get());
}

Result<Drain> Drain::open(std::span<Channel* const> channels) {
  Drain drain;
  drain.epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  for (const Channel* channel : channels) {
    // Edge: a level would stay up while records come in, and the reader would spin on them.
    epoll_event readable{.events = EPOLLIN | EPOLLET, .data = {}};
    if (::epoll_ctl(drain.epoll_.get(), EPOLL_CTL_ADD, channel->wait_fd(), &readable))
      return from_errno(errno, "watch channel");
  }
  return drain;
}

Status Drain::wait(std::chrono::milliseconds beat) {
  epoll_event ready{};
  if (::epoll_wait(epoll_.get(), &ready, 1, static_cast<int>(beat.count())) < 0 && errno != EINTR)
    return from_errno(errno, "wait for channels");
  return {};
}

}  // namespace tapio::capture
